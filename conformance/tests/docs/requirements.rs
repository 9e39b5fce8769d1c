//! All requirements, area by area: who looks at them, and what shows that a breach is noticed.

use chatspec::contract::{Contract, Requirement};
use chatspec::sabotage::Catalogue;
use chatspec::scenarios;
use chatspec::verdict::Level;

use crate::notation::{cell, table};

/// Every area with its table.
pub(crate) fn all() -> String {
    let contract = Contract::embedded().unwrap();
    let catalogue = Catalogue::embedded(&contract).unwrap();
    let areas = contract.areas.iter().map(|area| {
        let of_area = contract.requirements.iter().filter(|r| r.area == area.id);
        let rows = of_area.map(|requirement| row(requirement, &catalogue));
        let heads = ["id", "level", "requirement", "origin", "scenarios", "sabotages"];
        format!("## {}\n\n{}", area.title, table(&heads, rows))
    });
    let [all, must, should, may] = ["requirements", "MUST", "SHOULD", "MAY"].map(number);
    let summary = format!(
        "Protocol {}: {all} requirements, of which {must} MUST, {should} SHOULD, {may} MAY; {} scenarios, {} sabotages.\n\n",
        contract.protocol,
        number("scenarios"),
        number("sabotages"),
    );
    summary + &areas.collect::<Vec<_>>().join("\n")
}

/// How many there are of what has this name.
pub(crate) fn number(name: &str) -> usize {
    let contract = Contract::embedded().unwrap();
    let of_level = |level: Level| contract.requirements.iter().filter(|r| r.level == level).count();
    match name {
        "requirements" => contract.requirements.len(),
        "scenarios" => scenarios::all().count(),
        "sabotages" => Catalogue::embedded(&contract).unwrap().sabotages.len(),
        "MUST" => of_level(Level::Must),
        "SHOULD" => of_level(Level::Should),
        "MAY" => of_level(Level::May),
        _ => panic!("nothing counts {name:?}"),
    }
}

fn row(requirement: &Requirement, catalogue: &Catalogue) -> Vec<String> {
    let id = &requirement.id;
    let judges = scenarios::all().filter(|scenario| scenario.requirements.contains(&id.as_str()));
    let judges: Vec<String> = judges.map(|scenario| cell(scenario.id)).collect();
    let breaking = catalogue
        .sabotages
        .iter()
        .filter(|sabotage| sabotage.breaks == *id);
    let beyond = catalogue.beyond.iter().filter(|beyond| beyond.requirement == *id);
    let shown: Vec<String> = breaking
        .map(|sabotage| cell(&sabotage.name))
        .chain(beyond.map(|beyond| format!("beyond reach: {}", beyond.why)))
        .collect();
    let never = requirement.level == Level::May;
    let or = |found: Vec<String>, none: &str| {
        if found.is_empty() {
            none.to_owned()
        } else {
            found.join(", ")
        }
    };
    vec![
        format!("<a id=\"{}\"></a>{id}", id.to_lowercase()),
        requirement.level.word().to_owned(),
        requirement.statement.replace('|', "\\|"),
        requirement.origin.clone(),
        or(judges, if never { "never a verdict" } else { "none" }),
        or(shown, if never { "" } else { "none" }),
    ]
}
