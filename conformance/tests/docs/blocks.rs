//! What is generated in a document: blocks, from a line `<!-- generated: NAME -->` to a line `<!-- end -->`, and numbers within
//! a line, as in `<!-- number: NAME -->12<!-- end -->`.

const BEGIN: &str = "<!-- generated: ";
const NUMBER: &str = "<!-- number: ";
const END: &str = "<!-- end -->";

/// The document with every block and every number made anew; `content` is asked for `NAME`, and for `number NAME`.
pub(crate) fn renewed(text: &str, content: impl Fn(&str) -> String) -> Result<String, String> {
    let mut out: Vec<String> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push(renewed_line(line, &content)?);
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

fn renewed_line(line: &str, content: &impl Fn(&str) -> String) -> Result<String, String> {
    let Some((before, rest)) = line.split_once(NUMBER) else {
        return Ok(line.to_owned());
    };
    let parts = rest.split_once(" -->").and_then(|(name, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((name, after))
    });
    let (name, after) = parts.ok_or_else(|| format!("the number in {line:?} has no end"))?;
    let after = renewed_line(after, content)?;
    let number = content(&format!("number {name}"));
    Ok(format!("{before}{NUMBER}{name} -->{number}{END}{after}"))
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

#[test]
fn every_number_of_a_line_is_made_anew_and_the_rest_stays() {
    let content = |name: &str| format!("new {name}");
    let text = "a <!-- number: x -->1<!-- end --> b <!-- number: y -->2<!-- end -->.\n";
    let fresh = renewed(text, content).unwrap();
    assert_eq!(
        fresh,
        "a <!-- number: x -->new number x<!-- end --> b <!-- number: y -->new number y<!-- end -->.\n"
    );
    assert_eq!(renewed(&fresh, content).unwrap(), fresh);
    assert!(renewed("<!-- number: x -->1\n", content).is_err());
}
