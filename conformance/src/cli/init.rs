//! `init`: writes a target file to begin with.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Failure;
use crate::result::Exit;
use crate::targets::profile::{Profile, rest};

/// What `init` takes; what is not given is asked for on a terminal, and has its default elsewhere.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// File to write; - writes to standard output.
    #[arg(value_name = "FILE", default_value = "chatspec.toml")]
    file: PathBuf,
    /// Name of the target in reports.
    #[arg(long)]
    name: Option<String>,
    /// Address of the target, if it is already running.
    #[arg(long, value_name = "URL", conflicts_with = "launch")]
    url: Option<String>,
    /// Command with which the kit starts the target; {{port}} in it is replaced by a free port.
    #[arg(long, value_name = "COMMAND")]
    launch: Option<String>,
    /// How users are made.
    #[arg(long, value_enum, value_name = "KIND")]
    provision: Option<Kind>,
    /// Environment variable that holds the HS256 secret, or the private key (PEM) of another algorithm.
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,
    /// How tokens are signed: HS256, HS384, HS512, RS256, ES256 or EdDSA.
    #[arg(long, value_name = "ALGORITHM", default_value = "HS256")]
    algorithm: String,
    /// Replace an existing file.
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// They register through the target's REST API.
    Rest,
    /// Their tokens are minted with the target's key.
    Jwt,
    /// They are there already, in a file with their tokens.
    Static,
    /// A program makes them.
    Command,
}

/// Writes the file.
pub(super) fn init(args: InitArgs) -> Result<Exit, Failure> {
    let to_stdout = args.file == Path::new("-");
    if !to_stdout && !args.force && args.file.exists() {
        let text = format!(
            "{} exists already: give another name, or --force to replace it",
            args.file.display()
        );
        return Err(Failure::new(Exit::Usage, text));
    }
    let args = if io::stdin().is_terminal() && io::stderr().is_terminal() {
        ask_for_the_rest(args).map_err(|error| Failure::new(Exit::Usage, error))?
    } else {
        args
    };
    let text = target_file(&args);
    // What was given on the command line may not fit together.
    Profile::parse(&text)
        .map_err(|why| Failure::new(Exit::Usage, format!("these options do not fit together: {why}")))?;
    if to_stdout {
        // Whoever has stopped reading does not want the rest.
        let _ = io::stdout().write_all(text.as_bytes());
        return Ok(Exit::Conforms);
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let shown = args.file.display();
    let written = options
        .open(&args.file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::new(Exit::Usage, format!("{shown}: {error}")))?;
    anstream::eprintln!("{shown} is written. Next: chatspec doctor --target {shown}");
    Ok(Exit::Conforms)
}

fn ask_for_the_rest(mut args: InitArgs) -> io::Result<InitArgs> {
    if args.name.is_none() {
        args.name = ask("What is the target called", "my chat server")?;
    }
    if args.url.is_none() && args.launch.is_none() {
        args.launch = ask("Command that starts it (nothing, if it runs already)", "")?;
        if args.launch.is_none() {
            args.url = ask("Its address", "http://127.0.0.1:4000")?;
        }
    }
    if args.provision.is_none() {
        let kind = ask("How users are made: rest, jwt, static or command", "rest")?;
        args.provision = kind
            .map(|kind| {
                Kind::from_str(&kind, true).map_err(|_| {
                    io::Error::other(format!("{kind} is unknown: answer rest, jwt, static or command"))
                })
            })
            .transpose()?;
    }
    if args.key_env.is_none() {
        args.key_env = ask(
            "Environment variable with the secret or private key of its tokens (nothing, if none)",
            "",
        )?;
    }
    Ok(args)
}

/// What is typed, or the default; nothing where that is empty.
fn ask(question: &str, default: &str) -> io::Result<Option<String>> {
    let shown = if default.is_empty() {
        String::new()
    } else {
        format!(" [{default}]")
    };
    anstream::eprint!("{question}{shown}: ");
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let typed = line.trim();
    let text = if typed.is_empty() { default } else { typed };
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn target_file(args: &InitArgs) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut text = String::new();
    let mut add = |part: &str| {
        text.push_str(part);
        text.push('\n');
    };
    add("# How chatspec tests this target. Try it out step by step with:  chatspec doctor --target FILE");
    add("# What is commented out shows the default, or an example where there is none.\n");
    add(&format!(
        "name = {}",
        quoted(args.name.as_deref().unwrap_or("my chat server"))
    ));
    match &args.launch {
        Some(command) => add(&format!(
            "\n# The kit starts the target, and stops it after the run with everything that it has started.\n\
             [launch]\ncommand = {}\n\
             # The line that it prints once it is ready; the group is its address.\n\
             ready_line = 'listening on (http://\\S+)'\n\
             # Or a URL that answers with a success then, with urls = [\"http://127.0.0.1:{{{{port}}}}\"] at the top of this file.\n\
             #ready_url = \"http://127.0.0.1:{{{{port}}}}/healthz\"\n\
             #env = {{ PORT = \"{{{{port}}}}\" }}\n#cwd = \".\"",
            quoted(command)
        )),
        None => add(&format!(
            "\n# Several addresses are several processes of one deployment: clients are spread over them.\nurls = [{}]",
            quoted(args.url.as_deref().unwrap_or("http://127.0.0.1:4000"))
        )),
    }
    add(SERVICES);
    add(&auth(args, quoted));
    add(&provision(args.provision.unwrap_or(Kind::Rest)));
    add(REST);
    for line in rest::CONTRACT
        .lines()
        .skip_while(|line| !line.starts_with("auth = "))
    {
        add(&as_comment(line));
    }
    text
}

/// A line of the contract's templates, as it would stand in a target file, commented out.
fn as_comment(line: &str) -> String {
    match line.strip_prefix('[') {
        Some(name) => format!("#[rest.{name}"),
        None if line.is_empty() || line.starts_with('#') => line.to_owned(),
        None => format!("#{line}"),
    }
}

fn auth(args: &InitArgs, quoted: impl Fn(&str) -> String) -> String {
    let symmetric = args.algorithm.starts_with("HS");
    let key = if symmetric {
        "jwt_secret_env"
    } else {
        "private_key_env"
    };
    let mut text = format!(
        "[auth]\n# With the key, the kit can mint expired and forged tokens; without it, what needs them stays unverified.\n\
         algorithm = {}\n",
        quoted(&args.algorithm)
    );
    // Writing to a String does not fail.
    let _ = match &args.key_env {
        Some(variable) => writeln!(text, "{key} = {}", quoted(variable)),
        None => writeln!(text, "#{key} = \"CHAT_JWT_KEY\""),
    };
    text.push_str(
        "#issuer = \"https://chat.example\"\n#audience = \"chat\"\n#claims = { role = \"user\", uid = \"{{user}}\" }\n",
    );
    text
}

fn provision(kind: Kind) -> String {
    let (name, more) = match kind {
        Kind::Rest => ("rest", "# Users register as [rest.register] says."),
        Kind::Jwt => (
            "jwt",
            "# Tokens are minted with the key in [auth]. Does [rest.register] make the users? Otherwise whoever has a token is \
             one.\nregister = false",
        ),
        Kind::Static => (
            "static",
            "# [[users]] with id, access_token and perhaps session_token; a full run takes some 250 of them.\nfile = \"users.toml\"",
        ),
        Kind::Command => (
            "command",
            "# A program that makes users and all else: JSON lines over its standard input and output.\n\
             command = \"python3 provision.py\"",
        ),
    };
    format!("[provision]\nkind = \"{name}\"\n{more}\n")
}

const SERVICES: &str = "
#[services]
# The variable in which a target that the kit starts looks for its MongoDB.
#mongodb = \"MONGODB_URI\"

#[handshake]
#path = \"/socket.io/\"
#token_in = \"payload\"
#token_field = \"token\"

#[limits]
#rate_max = 10
#rate_window_ms = 10000
#presence_window_ms = 2000
#body_max_bytes = 100000
# How often the server pings a connection, and how long it waits for the answer, if not as its handshake says.
#ping_interval_ms = 25000
#ping_timeout_ms = 20000
# How long the run waits at most for the target to notice a connection that has vanished, or never asks to be let in.
#wait_max_ms = 10000

#[capabilities]
# What the target does not offer: it is then unverified, and never green.
#session_tokens = false
#query_tokens = false
#logout = false
#direct_chats = false
#get_chat = false
#rename = false
#add_member = false
#remove_member = false
#post_message = false
#list_messages = false
#after_cursor = false
#list_chats = false
#search = false

#[cors]
#allowed_origin = \"https://app.example\"
#denied_origin = \"https://evil.example\"

#[faults]
#internal_body = \"fail on this message\"

#[hooks]
#store_down = \"docker compose stop mongodb\"
#store_up = \"docker compose start mongodb\"
";

const REST: &str = "[rest]
# Where the REST API is, if not where Socket.IO is.
#url = \"http://127.0.0.1:8080\"
#headers = { \"x-api-key\" = \"…\" }
# Each table below is one thing that the kit asks of the target. Change what differs from the contract; `reply` says where in
# the answer things are, as in reply = { _id = \"/data/id\" }.";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: InitArgs,
    }

    #[test]
    fn what_is_written_is_a_target_file_and_so_is_it_with_everything_uncommented() {
        for extra in [
            &["--url", "http://127.0.0.1:1"][..],
            &["--launch", "node \"server\".mjs {{port}}"],
            &["--provision", "jwt", "--key-env", "KEY", "--algorithm", "RS256"],
            &["--provision", "static"],
            &["--provision", "command", "--name", "a \"name\""],
        ] {
            let cli = Cli::parse_from(["init"].iter().chain(extra));
            let text = target_file(&cli.args);
            Profile::parse(&text).unwrap_or_else(|why| panic!("{extra:?}: {why}"));
            if !extra.contains(&"--launch") {
                continue;
            }
            let uncommented: Vec<&str> = text
                .lines()
                .map(|line| {
                    line.strip_prefix('#')
                        .filter(|rest| !rest.starts_with([' ', '{']))
                        .unwrap_or(line)
                })
                .collect();
            Profile::parse(&uncommented.join("\n")).unwrap_or_else(|why| panic!("{why}"));
        }
    }
}
