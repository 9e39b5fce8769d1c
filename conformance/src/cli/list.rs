//! `list` and `explain`: what there is, without a target.

use std::io::{self, Write};

use anstream::AutoStream;
use anstyle::Style;
use serde_json::json;

use super::{Color, Failure, Format, ListArgs};
use crate::contract::set::DEFAULT;
use crate::contract::{Contract, Requirement};
use crate::plan::{did_you_mean, near};
use crate::report::palette::{BOLD, CYAN, DIM};
use crate::repro::limits;
use crate::result::Exit;
use crate::scenarios::{self, Scenario};

pub(super) fn list(args: &ListArgs, contract: &Contract) -> Result<Exit, Failure> {
    let mut out = AutoStream::new(io::stdout().lock(), args.color.choice());
    let written = match (args.scenarios, args.format) {
        (false, Format::Text) => catalogue(&mut out, contract),
        (false, Format::Json) => {
            let described = |requirement| requirement_json(requirement, contract);
            json(&mut out, contract.requirements.iter().map(described))
        }
        (true, Format::Text) => all_scenarios(&mut out, contract),
        (true, Format::Json) => json(&mut out, scenarios::all().map(scenario_json)),
    };
    done(written)
}

pub(super) fn explain(id: &str, color: Color, contract: &Contract) -> Result<Exit, Failure> {
    let mut out = AutoStream::new(io::stdout().lock(), color.choice());
    let all: Vec<&'static Scenario> = scenarios::all().collect();
    let requirement = contract
        .requirements
        .iter()
        .find(|r| r.id.eq_ignore_ascii_case(id));
    let scenario = all.iter().find(|s| s.id.eq_ignore_ascii_case(id));
    match (requirement, scenario) {
        (Some(requirement), _) => done(explain_requirement(&mut out, requirement, contract)),
        (None, Some(scenario)) => done(explain_scenario(&mut out, scenario, contract)),
        (None, None) => {
            let hint = did_you_mean(&near(id, contract, &all));
            Err(Failure::new(
                Exit::Usage,
                format!("no requirement or scenario has the id {id}{hint}"),
            ))
        }
    }
}

/// A reader that has gone away is no failure.
fn done(written: io::Result<()>) -> Result<Exit, Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(Exit::Fault, error)),
        _ => Ok(Exit::Conforms),
    }
}

/// The scenarios that judge a requirement.
fn judges(id: &str) -> impl Iterator<Item = &'static Scenario> {
    scenarios::all().filter(move |scenario| scenario.requirements.contains(&id))
}

/// What is said of a requirement that no run fails for unless it is told to; nothing of others.
fn later(id: &str, contract: &Contract) -> String {
    if contract.sets_with(id).any(|set| set == DEFAULT) {
        return String::new();
    }
    format!(" {DIM}(added after {DEFAULT}){DIM:#}")
}

/// A table by area: id, level, scenario, and the sentence.
fn catalogue(out: &mut impl Write, contract: &Contract) -> io::Result<()> {
    let width = scenarios::all()
        .map(|scenario| scenario.id.len())
        .max()
        .unwrap_or_default();
    for area in &contract.areas {
        writeln!(out, "{BOLD}{}{BOLD:#} {DIM}{}{DIM:#}", area.title, area.id)?;
        for requirement in contract.requirements.iter().filter(|r| r.area == area.id) {
            let Requirement {
                id, level, statement, ..
            } = requirement;
            let mut judges = judges(id).map(|scenario| scenario.id);
            let first = judges.next().unwrap_or("-");
            let level = level.word();
            let later = later(id, contract);
            writeln!(
                out,
                "  {CYAN}{id:<9}{CYAN:#} {level:<6}  {DIM}{first:<width$}{DIM:#}  {statement}{later}"
            )?;
            for further in judges {
                writeln!(out, "{:20}{DIM}{further}{DIM:#}", "")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn all_scenarios(out: &mut impl Write, contract: &Contract) -> io::Result<()> {
    for area in &contract.areas {
        let of_area: Vec<_> = scenarios::all().filter(|s| s.area() == area.id).collect();
        if of_area.is_empty() {
            continue;
        }
        writeln!(out, "{BOLD}{}{BOLD:#} {DIM}{}{DIM:#}", area.title, area.id)?;
        for scenario in of_area {
            let requirements = scenario.requirements.join(" ");
            writeln!(
                out,
                "  {CYAN}{}{CYAN:#}\n    {} {DIM}{requirements}{DIM:#}",
                scenario.id, scenario.summary
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn json(out: &mut impl Write, items: impl Iterator<Item = serde_json::Value>) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &items.collect::<Vec<_>>())?;
    writeln!(out)
}

fn requirement_json(requirement: &Requirement, contract: &Contract) -> serde_json::Value {
    json!({
        "id": requirement.id,
        "level": requirement.level,
        "area": requirement.area,
        "statement": requirement.statement,
        "origin": requirement.origin,
        "why": requirement.why,
        "sets": contract.sets_with(&requirement.id).collect::<Vec<_>>(),
        "example": requirement.example.lines().collect::<Vec<_>>(),
        "scenarios": judges(&requirement.id).map(|scenario| scenario.id).collect::<Vec<_>>(),
    })
}

fn scenario_json(scenario: &Scenario) -> serde_json::Value {
    json!({
        "id": scenario.id,
        "area": scenario.area(),
        "summary": scenario.summary,
        "requirements": scenario.requirements,
        "exclusive": scenario.exclusive,
        "steps": scenario.steps,
    })
}

fn explain_requirement(
    out: &mut impl Write,
    requirement: &Requirement,
    contract: &Contract,
) -> io::Result<()> {
    let Requirement {
        id,
        level,
        area,
        statement,
        origin,
        why,
        example,
    } = requirement;
    writeln!(
        out,
        "{BOLD}{id}{BOLD:#} {} {DIM}{area}, origin {origin}{DIM:#}{}\n\n  {statement}",
        level.word(),
        later(id, contract)
    )?;
    if !why.is_empty() {
        writeln!(out, "\n  {why}")?;
    }
    if !example.is_empty() {
        writeln!(out, "\n{BOLD}For example{BOLD:#}")?;
    }
    for line in example.lines() {
        writeln!(out, "  {line}")?;
    }
    let mut none = true;
    for scenario in judges(id) {
        none = false;
        writeln!(out, "\n{BOLD}Looked at by{BOLD:#} {CYAN}{}{CYAN:#}", scenario.id)?;
        steps(out, scenario, Some(id))?;
    }
    if none {
        writeln!(
            out,
            "\nLooked at by no scenario: it is never a verdict, at most a line of information."
        )?;
    }
    let told =
        limits::of_requirement(id).is_none() && judges(id).any(|judge| limits::of_scenario(judge).is_none());
    if told { as_a_script(out, id) } else { Ok(()) }
}

/// How to have it without chatspec.
fn as_a_script(out: &mut impl Write, id: &str) -> io::Result<()> {
    writeln!(
        out,
        "\n{BOLD}As a script{BOLD:#} for an official client: chatspec repro {id} --lang js, or --lang python"
    )
}

/// The steps, those bold that judge this requirement.
fn steps(out: &mut impl Write, scenario: &Scenario, judging: Option<&str>) -> io::Result<()> {
    for (n, step) in scenario.steps.iter().enumerate() {
        let style = match judging {
            Some(id) if step.contains(id) => BOLD,
            _ => Style::new(),
        };
        writeln!(out, "  {:>2}. {style}{step}{style:#}", n + 1)?;
    }
    Ok(())
}

fn explain_scenario(out: &mut impl Write, scenario: &Scenario, contract: &Contract) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}\n\n  {}", scenario.id, scenario.summary)?;
    if scenario.exclusive {
        writeln!(out, "  Runs alone, after all others.")?;
    }
    writeln!(out, "\n{BOLD}Step by step{BOLD:#}")?;
    steps(out, scenario, None)?;
    writeln!(out, "\n{BOLD}Looks at{BOLD:#}")?;
    for id in scenario.requirements {
        let statement = contract.requirement(id).map_or("", |r| r.statement.as_str());
        writeln!(out, "  {CYAN}{id:<9}{CYAN:#} {statement}")?;
    }
    if limits::of_scenario(scenario).is_none() {
        as_a_script(out, scenario.id)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_after_the_set_is_marked() {
        let contract = Contract::for_test().frozen(
            "1.0",
            "name = \"1.0\"\nmust = [\"X-01\"]\nshould = [\"X-02\"]\nmay = [\"X-03\"]",
        );
        let told = |tell: &dyn Fn(&mut Vec<u8>) -> io::Result<()>| {
            let mut out = Vec::new();
            tell(&mut out).unwrap();
            anstream::adapter::strip_bytes(&out).into_vec()
        };
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let listed = text(told(&|out| catalogue(out, &contract)));
        let marked: Vec<_> = listed
            .lines()
            .filter(|line| line.ends_with("(added after 1.0)"))
            .collect();
        assert!(marked.len() == 1 && marked[0].contains("Y-01"), "{listed}");
        let explained = |id| {
            let requirement = contract.requirement(id).unwrap();
            text(told(&|out| explain_requirement(out, requirement, &contract)))
        };
        assert!(explained("Y-01").contains("(added after 1.0)"));
        assert!(!explained("X-01").contains("added after"));
        let sets = |id| requirement_json(contract.requirement(id).unwrap(), &contract)["sets"].clone();
        assert_eq!(
            (sets("X-01"), sets("Y-01")),
            (json!(["1.0", "latest"]), json!(["latest"]))
        );
    }
}
