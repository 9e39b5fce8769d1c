//! The command line of the program: it serves, unless it is asked for something else.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use chatspec_server_core::config::Config;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::store::StoreArgs;

/// How long a server may take to say whether it is ready.
const PATIENCE: Duration = Duration::from_secs(4);

/// Reference server of the realtime messaging protocol.
#[derive(Debug, Parser)]
#[command(
    name = "chatspec-server",
    version,
    long_version = concat!(env!("CARGO_PKG_VERSION"), "\nprotocol 1.0"),
    max_term_width = 100,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// How to serve; every flag is also an environment variable.
#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(
        long,
        env = "CHATSPEC_LISTEN",
        default_value = "127.0.0.1:4000",
        value_name = "ADDR:PORT"
    )]
    pub(crate) listen: SocketAddr,

    #[command(flatten)]
    pub(crate) store: StoreArgs,

    #[command(flatten)]
    pub(crate) config: Config,

    /// Serve neither the documentation nor the playground at /docs.
    #[arg(long, env = "CHATSPEC_NO_DOCS")]
    pub(crate) no_docs: bool,

    /// How logs look.
    #[arg(long, env = "CHATSPEC_LOG_FORMAT", default_value = "text", value_enum)]
    pub(crate) log_format: LogFormat,

    /// What is logged, as in `info` or `chatspec_server_core=debug,warn`.
    #[arg(long, env = "CHATSPEC_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,
}

/// How logs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

const EXAMPLES: &str = "Examples:
  chatspec-server                                         everything at its default, data in ./chatspec-data
  chatspec-server --listen 127.0.0.1:0 --in-memory        a free port, nothing kept: for tests
  chatspec-server --mongodb-uri mongodb://db.example/chat data in a MongoDB replica set
  chatspec-server --data /var/lib/chat --jwt-secret \"$SECRET\" --cors-origin https://app.example";

/// What the program does beside serving.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask the server that runs on this machine whether it is ready; fails if it is not.
    Health {
        /// The address that it listens on.
        #[arg(
            long,
            env = "CHATSPEC_LISTEN",
            default_value = "127.0.0.1:4000",
            value_name = "ADDR:PORT"
        )]
        listen: SocketAddr,
    },
    /// Write completions for a shell.
    Completions {
        /// Which shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write the manual page.
    Man,
}

impl Command {
    /// Carries the command out; the error says why it cannot.
    pub(crate) fn perform(&self) -> anyhow::Result<()> {
        let mut text = Vec::new();
        match self {
            Self::Health { listen } => return ask(reachable(*listen)),
            Self::Completions { shell } => {
                clap_complete::generate(*shell, &mut Cli::command(), "chatspec-server", &mut text);
            }
            Self::Man => text = manual()?,
        }
        // Whoever has stopped reading does not want the rest.
        let _ = io::stdout().write_all(&text);
        Ok(())
    }
}

/// Where a server that listens there is reached from its own machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Asks a server whether it is ready.
fn ask(address: SocketAddr) -> anyhow::Result<()> {
    let status = status(address).map_err(|error| anyhow::anyhow!("{address} does not answer: {error}"))?;
    anyhow::ensure!(
        status.contains(" 200 "),
        "{address} is not ready: {}",
        status.trim_end()
    );
    Ok(())
}

/// The first line of what it answers.
fn status(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // In one piece: a server may answer and close once it has read the first line.
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    Ok(status)
}

/// The page, with the lines of the examples as they are.
fn manual() -> io::Result<Vec<u8>> {
    let man = Man::new(Cli::command())
        .manual("chatspec")
        .source(concat!("chatspec ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    let mut examples = Roff::new();
    examples.control("SH", ["EXAMPLES"]);
    examples.control("nf", []);
    for line in EXAMPLES.lines().skip(1) {
        examples.text([roman(line.trim_start())]);
    }
    examples.control("fi", []);
    examples.to_writer(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        let command = Cli::command();
        command.clone().debug_assert();
        for flag in command
            .get_arguments()
            .filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()))
        {
            assert!(flag.get_env().is_some(), "--{} has no variable", flag.get_id());
        }
        let version = Cli::command().render_long_version();
        let protocol = include_str!("../../fixtures/requirements.toml")
            .lines()
            .find_map(|line| line.strip_prefix("protocol = "))
            .unwrap();
        let told = format!(
            "chatspec-server {}\nprotocol {}\n",
            env!("CARGO_PKG_VERSION"),
            protocol.trim_matches('"')
        );
        assert_eq!(version, told);
    }

    #[test]
    fn it_serves_unless_it_is_asked_for_something_else() {
        let parse = |args: &[&str]| Cli::try_parse_from(["chatspec-server"].iter().chain(args));
        let serves = parse(&["--rate-max", "5"]).unwrap();
        assert!(serves.command.is_none() && serves.serve.config.rate_max == 5);
        let completions = parse(&["completions", "fish"]).unwrap().command;
        assert!(matches!(
            completions,
            Some(Command::Completions { shell: Shell::Fish })
        ));
        assert!(parse(&["--rate-max", "5", "man"]).is_err());
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for flags in [
            ["--rate-max", "0"],
            ["--rate-window-ms", "x"],
            ["--listen", "nowhere"],
            ["--log-format", "xml"],
        ] {
            assert!(
                Cli::try_parse_from(["chatspec-server"].iter().chain(&flags)).is_err(),
                "{flags:?}"
            );
        }
    }

    #[test]
    fn the_examples_of_the_manual_have_lines_of_their_own() {
        let page = String::from_utf8(manual().unwrap()).unwrap();
        assert!(
            page.contains("\nchatspec\\-server \\-\\-listen 127.0.0.1:0"),
            "{page}"
        );
    }

    /// A server that answers once.
    fn answers(status: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            assert_eq!(line, "GET /readyz HTTP/1.1\r\n");
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
        });
        address
    }

    #[test]
    fn health_is_what_readyz_says() {
        ask(answers("200 OK")).unwrap();
        let why = ask(answers("503 Service Unavailable")).unwrap_err().to_string();
        assert!(why.contains("is not ready: HTTP/1.1 503"), "{why}");
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let why = ask(free).unwrap_err().to_string();
        assert!(why.contains("does not answer"), "{why}");
        assert_eq!(
            reachable("0.0.0.0:4000".parse().unwrap()).to_string(),
            "127.0.0.1:4000"
        );
        assert_eq!(reachable("[::]:4000".parse().unwrap()).to_string(), "[::1]:4000");
        assert_eq!(
            reachable("10.0.0.1:4000".parse().unwrap()).to_string(),
            "10.0.0.1:4000"
        );
    }
}
