//! Completions as bash takes them, and manual pages as `groff` and `man` do.

use std::fs;
use std::process::{Command, Stdio};

use crate::{chatspec, done};

/// What bash offers where the words of a command line have come so far; the last of them is being typed.
fn offered(words: &[&str]) -> Vec<String> {
    let script = r#"
        set -eu
        source "$1"
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        complete -p chatspec >/dev/null
        _chatspec chatspec "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chatspec");
    fs::write(&file, chatspec(&["completions", "bash"]).stdout).unwrap();
    let bash = Command::new("bash")
        .args(["--norc", "-c", script, "bash"])
        .arg(&file)
        .args(words)
        .stdin(Stdio::null())
        .output();
    let done = done(bash.unwrap());
    assert_eq!(
        (done.code, done.stderr.as_str()),
        (Some(0), ""),
        "{}",
        done.stdout
    );
    done.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    assert_eq!(offered(&["chatspec", "sab"]), ["sabotage"]);
    assert_eq!(offered(&["chatspec", "run", "--requ"]), ["--require-all"]);
    assert_eq!(offered(&["chatspec", "baseline", "acc"]), ["accept"]);
    assert_eq!(offered(&["chatspec", "--color", ""]), ["auto", "always", "never"]);
    assert_eq!(offered(&["chatspec", "completions", "pow"]), ["powershell"]);
}

#[test]
fn there_are_completions_for_every_shell() {
    for (shell, sign) in [
        ("bash", "complete -F _chatspec"),
        ("zsh", "#compdef chatspec"),
        ("fish", "complete -c chatspec"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[chatspec]"),
    ] {
        let done = chatspec(&["completions", shell]);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(
            done.stdout.contains(sign) && done.stdout.contains("require-all"),
            "{shell}"
        );
    }
    chatspec(&["completions", "cmd"]).fails_with_usage("bash, elvish, fish, powershell, zsh");
}

/// What `groff` makes of a page; it must have nothing to complain about.
fn read(page: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.1");
    fs::write(&file, page).unwrap();
    let groff = Command::new("groff")
        .args(["-man", "-Tutf8", "-ww", "-b", "-rLL=100n"])
        .arg(&file)
        .env("GROFF_NO_SGR", "1")
        .output();
    let done = done(groff.expect("this test takes groff (Debian and Ubuntu: apt-get install groff-base)"));
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{page}");
    // Bold is a letter struck twice there.
    let mut text = String::new();
    for c in done.stdout.chars() {
        if c == '\u{8}' {
            text.pop();
        } else {
            text.push(c);
        }
    }
    text
}

#[test]
fn the_manual_page_is_read_without_a_warning() {
    let done = chatspec(&["man"]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    let text = read(&done.stdout);
    for part in [
        "NAME",
        "SYNOPSIS",
        "--require-all",
        "EXAMPLES",
        "EXIT CODES",
        "chatspec-sabotage(1)",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // An example has a line of its own.
    assert!(
        text.lines().any(|line| line.trim() == "chatspec explain MSG-05"),
        "{text}"
    );
}

#[test]
fn every_command_has_a_page_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let done = chatspec(&["man", "--out", pages.to_str().unwrap()]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    let mut names: Vec<String> = fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in [
        "chatspec.1",
        "chatspec-run.1",
        "chatspec-baseline-accept.1",
        "chatspec-man.1",
    ] {
        assert!(names.iter().any(|one| one == name), "{name} in {names:?}");
    }
    for name in names {
        let text = read(&fs::read_to_string(pages.join(&name)).unwrap());
        assert!(text.contains("chatspec"), "{name}: {text}");
    }
    chatspec(&["man", "--out", "/dev/null/x"]).fails(2, "--out /dev/null/x");
}
