//! `proxy`: stands between clients and a server, for trying a sabotage by hand.

use std::io::{self, Write as _};

use clap::Args;

use super::run::interruption;
use super::{Failure, TargetArgs};
use crate::contract::Contract;
use crate::proxy::{Instructions, Proxy};
use crate::result::Exit;
use crate::sabotage::Catalogue;
use crate::targets::Target;

pub(super) const EXAMPLES: &str = "Examples:
  chatspec proxy --url http://127.0.0.1:4000                            everything passes as it is
  chatspec proxy --url http://127.0.0.1:4000 --sabotage typing-echoed   and this goes wrong

It prints an address for each of the server's, and passes on what comes there until it is interrupted.";

/// What `proxy` takes.
#[derive(Debug, Args)]
pub(super) struct ProxyArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// What goes wrong on the way; chatspec sabotage --list tells what there is. Users are known by the sub of their JWT.
    #[arg(long, value_name = "NAME")]
    sabotage: Option<String>,
}

/// Passes on until it is interrupted.
pub(super) fn proxy(args: &ProxyArgs, contract: &Contract) -> Result<Exit, Failure> {
    let profile = args.target.profile()?.ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "say which server to forward to: --url URL, or --target FILE with urls in it",
        )
    })?;
    let mut instructions = Instructions {
        rest: profile.rest.clone(),
        ..Instructions::default()
    };
    if let Some(name) = &args.sabotage {
        let catalogue = Catalogue::embedded(contract).map_err(|error| Failure::new(Exit::Fault, error))?;
        let Some(sabotage) = catalogue.sabotages.iter().find(|one| one.name == *name) else {
            let text =
                format!("--sabotage {name}: there is no sabotage of this name; see chatspec sabotage --list");
            return Err(Failure::new(Exit::Usage, text));
        };
        instructions.observations = catalogue.observations_for(sabotage);
        instructions.rules.clone_from(&sabotage.rules);
    }
    // A server that is to be started is not: it is there, at the addresses that are given.
    let urls = profile.urls.clone();
    let target = Target::new(profile.at(urls)).map_err(|error| Failure::new(Exit::Usage, error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Fault, error))?;
    runtime.block_on(async {
        let proxy = Proxy::start(target.urls(), instructions).await;
        let proxy = proxy.map_err(|error| Failure::new(Exit::Fault, error))?;
        let mut out = io::stdout().lock();
        for url in proxy.urls() {
            writeln!(out, "{url}").map_err(|error| Failure::new(Exit::Fault, error))?;
        }
        drop(out);
        interruption().wait_for(|stop| *stop).await.ok();
        Ok(Exit::Conforms)
    })
}
