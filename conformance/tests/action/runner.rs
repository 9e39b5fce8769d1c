//! Who plays GitHub's runner: it carries out the steps of `action.yml`, with what GitHub gives to each.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use super::CHATSPEC;

pub(super) fn top() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

/// What came of the steps.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// Whether none has failed.
    pub(super) good: bool,
    /// What the action gives to the job.
    pub(super) outputs: BTreeMap<String, String>,
    /// Standard output and standard error of all steps.
    pub(super) log: String,
    /// The job's summary.
    pub(super) summary: String,
    /// The actions of others, with what they were given.
    pub(super) used: Vec<(String, BTreeMap<String, String>)>,
}

/// A runner with a workspace of its own.
pub(super) struct Runner {
    folder: TempDir,
    action: Value,
    values: BTreeMap<String, String>,
    pub(super) path: String,
}

impl Runner {
    pub(super) fn new() -> Self {
        let text = fs::read_to_string(top().join("action.yml")).unwrap();
        let action: Value = serde_yaml_ng::from_str(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for name in ["workspace", "temp", "bin"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let inputs = action["inputs"].as_object().unwrap();
        let values = inputs.iter().map(|(name, input)| {
            (
                format!("inputs.{name}"),
                input["default"].as_str().unwrap().to_owned(),
            )
        });
        Self {
            values: values.collect(),
            path: std::env::var("PATH").unwrap(),
            action,
            folder,
        }
    }

    /// With the program that the tests have built, so that nothing is built once more.
    pub(super) fn with_kit() -> Self {
        Self::new().input("chatspec", CHATSPEC)
    }

    pub(super) fn input(mut self, name: &str, value: &str) -> Self {
        let old = self.values.insert(format!("inputs.{name}"), value.to_owned());
        assert!(old.is_some(), "action.yml has no input {name}");
        self
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A report that the run has left.
    pub(super) fn report(&self, name: &str) -> String {
        fs::read_to_string(self.at("temp/chatspec/reports").join(name)).unwrap()
    }

    /// A program that is found before all others.
    pub(super) fn program(&mut self, name: &str, script: &str) {
        let file = self.at("bin").join(name);
        fs::write(&file, format!("#!/usr/bin/env bash\nset -eu\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let ours = format!("{}:", self.at("bin").display());
        if !self.path.starts_with(&ours) {
            self.path.insert_str(0, &ours);
        }
    }

    /// A text with what stands in `${{ … }}`.
    fn expand(&self, text: &Value) -> String {
        let text = text.as_str().unwrap();
        let expression = Regex::new(r"\$\{\{ *([a-z.-]+) *\}\}").unwrap();
        let value = |found: &regex::Captures<'_>| self.values.get(&found[1]).cloned().unwrap_or_default();
        let expanded = expression.replace_all(text, value);
        assert!(
            !expanded.contains("${{"),
            "an expression that is not known here: {text}"
        );
        expanded.into_owned()
    }

    /// Whether a condition holds: comparisons with a text, and `&&` between them.
    fn holds(&self, condition: &Value) -> bool {
        let Some(condition) = condition.as_str() else {
            return true;
        };
        let comparison = Regex::new(r"^([a-z.-]+) (==|!=) '([^']*)'$").unwrap();
        condition.split(" && ").all(|part| {
            let parts = comparison.captures(part);
            let parts = parts.unwrap_or_else(|| panic!("a condition that is not known here: {condition}"));
            let value = self.values.get(&parts[1]).map_or("", String::as_str);
            (value == &parts[3]) == (&parts[2] == "==")
        })
    }

    pub(super) fn run(&mut self) -> Job {
        let mut job = Job {
            good: true,
            ..Job::default()
        };
        for step in self.action["runs"]["steps"].as_array().unwrap().clone() {
            if !job.good || !self.holds(&step["if"]) {
                continue;
            }
            if let Some(used) = step["uses"].as_str() {
                let with = step["with"].as_object().unwrap();
                let with = with
                    .iter()
                    .map(|(name, value)| (name.clone(), self.expand(value)));
                job.used.push((used.to_owned(), with.collect()));
            } else {
                job.good = self.step(&step, &mut job);
            }
        }
        for (name, output) in self.action["outputs"].as_object().unwrap() {
            job.outputs.insert(name.clone(), self.expand(&output["value"]));
        }
        job
    }

    /// Runs a step with the shell that GitHub has for it; whether it went well.
    fn step(&mut self, step: &Value, job: &mut Job) -> bool {
        assert_eq!(step["shell"], "bash");
        let (script, output, summary) = (self.at("script"), self.at("output"), self.at("summary"));
        fs::write(&script, self.expand(&step["run"])).unwrap();
        for file in [&output, &summary] {
            fs::write(file, "").unwrap();
        }
        let folder = match &step["working-directory"] {
            Value::Null => self.at("workspace"),
            folder => self.at("workspace").join(self.expand(folder)),
        };
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(&script)
            .current_dir(folder)
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.at("temp"))
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_ACTION_PATH", top())
            .env("GITHUB_REPOSITORY", "octo/chat")
            .env("GITHUB_WORKSPACE", self.at("workspace"))
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("RUNNER_TEMP", self.at("temp"))
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64");
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            command.env(name, self.expand(value));
        }
        let done = command.output().unwrap();
        job.log.push_str(&String::from_utf8_lossy(&done.stdout));
        job.log.push_str(&String::from_utf8_lossy(&done.stderr));
        job.summary.push_str(&fs::read_to_string(summary).unwrap());
        if let Some(id) = step["id"].as_str() {
            for line in fs::read_to_string(output).unwrap().lines() {
                let (name, value) = line.split_once('=').unwrap();
                self.values
                    .insert(format!("steps.{id}.outputs.{name}"), value.to_owned());
            }
        }
        done.status.success()
    }
}

impl Job {
    pub(super) fn uploaded(&self) -> Option<&BTreeMap<String, String>> {
        let upload = self
            .used
            .iter()
            .find(|(name, _)| name.starts_with("actions/upload-artifact@"));
        upload.map(|(_, with)| with)
    }
}
