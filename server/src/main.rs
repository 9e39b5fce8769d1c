//! The reference server as a program: see `--help`.
//!
//! - `cli`: the command line, and what the program does beside serving
//! - `store`: where it keeps its data
//! - `docs`: what is spoken here, as pages, and a playground
//!
//! All that it does for clients is in `chatspec-server-core`.

mod cli;
mod docs;
mod store;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use chatspec_server_core::Server;
use clap::Parser as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use cli::{Cli, LogFormat, ServeArgs};

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { serve, command } = Cli::parse();
    let done = match command {
        Some(command) => command.perform(),
        None => run(serve).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chatspec-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: ServeArgs) -> anyhow::Result<()> {
    start_log(&args)?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        anyhow::anyhow!(
            "cannot listen on {}: {error}; choose another address with --listen",
            args.listen
        )
    })?;
    let url = format!("http://{}", listener.local_addr()?);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    };
    let ready = move || {
        // Whoever started this may have closed the pipe; that is no reason to stop.
        let _ = writeln!(std::io::stdout(), "chatspec-server listening on {url}");
    };
    let store = args.store.open(&args.config).await?;
    let mut server = Server::new(args.config, store);
    if let Some(patience) = args.store.patience() {
        server = server.with_patience(patience);
    }
    if !args.no_docs {
        server = server.with_pages(docs::router());
    }
    server.serve(listener, ready, shutdown).await?;
    Ok(())
}

fn start_log(args: &ServeArgs) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&args.log)
        .map_err(|error| anyhow::anyhow!("--log {:?} is no filter: {error}; try info", args.log))?;
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colour)
        .with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
