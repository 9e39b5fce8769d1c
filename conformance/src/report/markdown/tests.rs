use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::contract::Contract;
use crate::expect::Mismatch;
use crate::report::sample;

fn written(run: &RunResult) -> String {
    let kit = concat!("chatspec ", env!("CARGO_PKG_VERSION"));
    document(run).replace(kit, "chatspec (version)")
}

#[test]
fn the_report_of_a_run() {
    insta::assert_snapshot!(written(&sample::result()));
}

#[test]
fn the_report_of_a_run_that_was_cut_short() {
    insta::assert_snapshot!(written(&sample::variant("lost after a failure")));
}

#[test]
fn a_known_failure_is_told_apart() {
    let text = written(&sample::variant("a failure is known"));
    assert!(
        text.starts_with("## ⚠️ chatspec: Does not conform, but"),
        "{text}"
    );
    for part in [
        "### Known to fail",
        "<code>known: see issue 7</code>",
        "1 known failure by",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("### Fails"), "{text}");
}

/// Sees that there is no markup but ours: no links, our tags only, and tables with as many cells as their head.
fn check(text: &str) {
    let ours = [
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
        "<pre>",
        "</pre>",
        "<code>",
        "</code>",
    ];
    let (mut columns, mut cells) = (0, 0);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                let rest = ours
                    .iter()
                    .fold(html.to_string(), |html, tag| html.replace(tag, ""));
                assert!(!rest.contains(['<', '>']), "{html}");
            }
            Event::Start(Tag::Table(alignments)) => columns = alignments.len(),
            Event::Start(Tag::TableHead | Tag::TableRow) => cells = 0,
            Event::End(TagEnd::TableCell) => cells += 1,
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => assert_eq!(cells, columns),
            Event::Start(
                tag @ (Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::CodeBlock(_)
                | Tag::Emphasis
                | Tag::Strikethrough
                | Tag::BlockQuote(_)),
            ) => panic!("{tag:?}"),
            Event::Start(Tag::Heading { level, .. }) => assert!((level as usize) < 4),
            _ => {}
        }
    }
}

#[test]
fn nothing_that_a_target_sends_is_markup() {
    let text = document(&sample::nasty());
    check(&text);
    // What GitHub makes links of, and the reader above does not.
    for part in ["https:", "www.", "@octocat"] {
        let outside: String = text
            .split("<pre>")
            .map(|part| part.rsplit("</pre>").next().unwrap_or(""))
            .collect();
        assert!(!outside.contains(part), "{part}");
    }
    assert!(
        text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
        "it is shown"
    );
    assert_eq!(text.matches("<pre>").count(), text.matches("</pre>").count());
}

#[test]
fn every_statement_of_the_contract_fits_a_cell() {
    let contract = Contract::embedded().unwrap();
    let mut run = sample::variant("a MUST fails");
    let one = run.requirements[0].clone();
    let with = |r: &crate::contract::Requirement| RequirementResult {
        id: r.id.clone(),
        statement: r.statement.clone(),
        ..one.clone()
    };
    run.requirements = contract.requirements.iter().map(with).collect();
    let text = document(&run);
    check(&text);
    // Two rows are those of the counts.
    let rows =
        Parser::new_ext(&text, Options::ENABLE_TABLES).filter(|event| *event == Event::End(TagEnd::TableRow));
    assert_eq!(rows.count(), contract.requirements.len() + 2);
}

#[test]
fn it_stays_below_the_limit_whatever_a_target_sends() {
    let nasty = sample::nasty();
    // Three checks are shown of each; with little to show, nothing is cut.
    for (n, told) in [
        (1, None),
        (30, Some("characters are cut")),
        (115, Some("characters are cut")),
    ] {
        let mut run = (*nasty).clone();
        run.requirements = vec![run.requirements[0].clone(); n];
        let text = document(&run);
        assert!(text.len() <= LIMIT, "{} bytes", text.len());
        assert_eq!(text.contains("would be too long"), told.is_some());
        assert!(told.is_none_or(|told| text.contains(told)));
        assert_eq!(text.matches("<pre>").count(), n);
        check(&text);
    }
    // As much as there may be, of nothing but what takes ten characters to show.
    let widest = "\u{10ffff}".repeat(10_000);
    let mut run = (*nasty).clone();
    let requirement = &mut run.requirements[0];
    let mut worst = requirement.checks[0].clone();
    worst.frames = vec![sample::frame(&widest); 14];
    worst.mismatch = Some(Mismatch::new(widest.clone(), widest.clone()));
    requirement.checks = vec![worst; 3];
    run.requirements = vec![requirement.clone(); 115];
    run.scenarios[0].notes = vec![("X-03".to_owned(), widest); 1_000];
    let text = document(&run);
    assert!(text.len() <= LIMIT, "{} bytes", text.len());
    assert!(text.contains("is left out") && text.contains("more, which the JSON report has"));
    check(&text);
}
