//! `run --report html=FILE`: a page that says what the terminal says.

use crate::chatspec;

#[test]
fn a_run_writes_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.html");
    let report = format!("html={}", path.display());
    let done = chatspec(&["--only", "ROOM-01", "--report", &report]);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("Conforms"), "{}", done.stdout);
    let page = std::fs::read_to_string(path).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    for part in [
        "conforms in the part that was looked at",
        "A partial run:</strong> it was to look at 1 of ",
        "<tr id=\"ROOM-01\" data-verdict=\"pass\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
