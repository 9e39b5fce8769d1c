//! What the columns are called: by the target's name, and where several have the same, by the file's name or a number.

use std::collections::BTreeSet;
use std::path::Path;

use crate::saved::Saved;

/// A name for each report; no two are the same.
pub(super) fn of(reports: &[&Saved]) -> Vec<String> {
    let all: Vec<&str> = reports.iter().map(|report| target(report)).collect();
    let is_only = |name: &str| all.iter().filter(|other| **other == name).count() == 1;
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for report in reports {
        let name = target(report);
        let name = if is_only(name) {
            name.to_owned()
        } else {
            format!("{name} ({})", file(report))
        };
        let numbered = (2..).map(|n| format!("{name} #{n}"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        if let Some(free) = candidates.find(|name| !taken.contains(name)) {
            taken.insert(free.clone());
            names.push(free);
        }
    }
    names
}

fn target(report: &Saved) -> &str {
    match report.target.name.trim() {
        "" => "(no name)",
        name => name,
    }
}

fn file(report: &Saved) -> String {
    let name = Path::new(&report.file).file_name();
    name.map_or_else(|| report.file.clone(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::sample::named;

    fn names(of: &[(&str, &str)]) -> Vec<String> {
        let reports: Vec<Saved> = of.iter().map(|(file, name)| named(file, name, &[])).collect();
        super::of(&reports.iter().collect::<Vec<_>>())
    }

    #[test]
    fn names_are_told_apart() {
        assert_eq!(names(&[("a.json", "go"), ("b.json", "node")]), ["go", "node"]);
        assert_eq!(
            names(&[("out/a.json", "go"), ("out/b.json", "go"), ("c.json", " ")]),
            ["go (a.json)", "go (b.json)", "(no name)"]
        );
        assert_eq!(
            names(&[
                ("1/a.json", "go"),
                ("2/a.json", "go"),
                ("3/a.json", "go"),
                ("4/a.json", "go (a.json)")
            ]),
            [
                "go (a.json)",
                "go (a.json) #2",
                "go (a.json) #3",
                "go (a.json) #4"
            ]
        );
    }
}
