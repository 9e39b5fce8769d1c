//! What processes use of the machine: CPU time and memory, on Linux; elsewhere nothing is known.

use std::time::Duration;

/// Whose use is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Every process of a process group: a target that the kit has started, with all that it has started itself.
    Group(u32),
    /// These processes.
    Processes(Vec<u32>),
}

/// What was used up to a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, of all threads, in user mode and in the kernel.
    pub cpu: Duration,
    /// Resident memory in bytes.
    pub rss: u64,
}

/// What these use; nothing where none of them is there, or the system does not tell.
pub fn usage(of: &Watched) -> Option<Usage> {
    system::usage(of)
}

/// What this process uses.
pub fn own() -> Option<Usage> {
    usage(&Watched::Processes(vec![std::process::id()]))
}

#[cfg(target_os = "linux")]
mod system {
    use std::time::Duration;

    use procfs::process::{Process, Stat, all_processes};

    use super::{Usage, Watched};

    pub(super) fn usage(of: &Watched) -> Option<Usage> {
        match of {
            Watched::Group(group) => {
                let group = i32::try_from(*group).ok()?;
                // A process that ends while it is looked at does not count.
                let all = all_processes().ok()?.flatten();
                let stats = all.filter_map(|process| process.stat().ok());
                sum(stats.filter(|stat| stat.pgrp == group))
            }
            Watched::Processes(pids) => {
                let pids = pids.iter().filter_map(|pid| i32::try_from(*pid).ok());
                sum(pids.filter_map(|pid| Process::new(pid).ok()?.stat().ok()))
            }
        }
    }

    fn sum(stats: impl Iterator<Item = Stat>) -> Option<Usage> {
        stats.map(|stat| used(&stat)).reduce(|a, b| Usage {
            cpu: a.cpu + b.cpu,
            rss: a.rss + b.rss,
        })
    }

    fn used(stat: &Stat) -> Usage {
        let ticks = u32::try_from(stat.utime + stat.stime).unwrap_or(u32::MAX);
        let per_second = u32::try_from(procfs::ticks_per_second()).unwrap_or(100).max(1);
        Usage {
            cpu: Duration::from_secs(1) * ticks / per_second,
            rss: stat.rss * procfs::page_size(),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Usage, Watched};

    pub(super) fn usage(_: &Watched) -> Option<Usage> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use super::*;

    #[test]
    fn work_costs_cpu_time_and_memory_is_resident() {
        let before = own().unwrap();
        let began = Instant::now();
        let mut sum = 0_u64;
        // Not by the clock alone: where others work too, little may be done in a while.
        while own().unwrap().cpu < before.cpu + Duration::from_millis(50) {
            assert!(began.elapsed() < Duration::from_mins(1), "{sum}");
            sum = (0..100_000).fold(sum, |sum: u64, n| sum.wrapping_mul(31).wrapping_add(n));
        }
        assert!(own().unwrap().rss > 1_000_000);
    }

    #[test]
    fn a_group_is_all_that_is_in_it() {
        use std::os::unix::process::CommandExt as _;
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & echo; wait"])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Both are there once the line is.
        let mut line = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(shell.stdout.take().unwrap()),
            &mut line,
        )
        .unwrap();
        // A process that is about to become another program has no memory for a moment.
        let began = std::time::Instant::now();
        loop {
            // In this order, since the first one may still grow.
            let alone = usage(&Watched::Processes(vec![shell.id()])).unwrap();
            let group = usage(&Watched::Group(shell.id())).unwrap();
            if group.rss > alone.rss {
                break;
            }
            assert!(began.elapsed().as_secs() < 10, "{group:?} {alone:?}");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Command::new("kill")
            .args(["--", &format!("-{}", shell.id())])
            .status()
            .unwrap();
        shell.wait().unwrap();
        assert_eq!(usage(&Watched::Processes(vec![shell.id()])), None);
    }
}
