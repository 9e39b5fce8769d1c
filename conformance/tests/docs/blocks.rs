//! Blocks of a document that are generated: from a line `<!-- generated: NAME -->` to a line `<!-- end -->`.

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

/// The document with every block made anew.
pub(crate) fn renewed(text: &str, content: impl Fn(&str) -> String) -> Result<String, String> {
    let mut out: Vec<String> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push(line.to_owned());
        let Some(name) = line
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        if !lines.any(|line| line == END) {
            return Err(format!("the block {name} has no end"));
        }
        out.extend(["", content(name).trim(), "", END].map(str::to_owned));
    }
    Ok(out.join("\n") + "\n")
}

#[test]
fn a_block_is_made_anew_and_the_rest_stays() {
    let content = |name: &str| format!("new {name}\n");
    let text = "a\n<!-- generated: x -->\nold\n<!-- end -->\nb\n";
    let fresh = renewed(text, content).unwrap();
    assert_eq!(fresh, "a\n<!-- generated: x -->\n\nnew x\n\n<!-- end -->\nb\n");
    assert_eq!(renewed(&fresh, content).unwrap(), fresh);
    assert!(renewed("<!-- generated: x -->\nold\n", content).is_err());
}
