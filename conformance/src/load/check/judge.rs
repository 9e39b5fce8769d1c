//! What the ledger says when all is there, or nothing more comes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::row::{Row, State};
use super::{Counts, FaultKind, Faults, Ledger, Member, Open};

impl Ledger {
    /// What is still to come.
    pub fn open(&self) -> Open {
        let mut open = Open::default();
        for (number, row) in self.rows_with_numbers() {
            match row.state() {
                State::Sent if !self.is_gone(self.sender(number)) => open.unanswered += 1,
                State::Acked => open.missing += self.missing(number).count() as u64,
                _ => {}
            }
        }
        open
    }

    /// Looks at all that is there at the end. What is missing now is lost, if it was `waited_for`.
    pub fn judge(&self, waited_for: bool) -> (Counts, Faults) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let refused = self.refused.lock().clone();
        let mut counts = Counts {
            planned: u64::from(self.plan.total()),
            sent: load(&self.sent),
            acked: load(&self.acked),
            refused: refused.into_iter().collect(),
            repeats: load(&self.repeats),
            late: load(&self.late),
            overtaken: load(&self.overtaken),
            stray_acks: load(&self.stray_acks),
            ..Counts::default()
        };
        let mut faults = self.faults.lock().clone();
        let mut owner: HashMap<u64, u32> = HashMap::new();
        for (number, row) in self.rows_with_numbers() {
            match row.state() {
                State::Planned | State::Failed => {}
                State::Sent if self.is_gone(self.sender(number)) => counts.cut_off += 1,
                State::Sent => counts.unanswered += 1,
                State::Refused => self.judge_refused(number, &mut faults),
                State::Acked => {
                    counts.due += self.due_to(number).count() as u64;
                    if waited_for {
                        self.judge_missing(number, &mut faults);
                    } else {
                        counts.undecided += self.missing(number).count() as u64;
                    }
                    let id = row.id.load(Ordering::Acquire);
                    if let Some(other) = (id != 0).then(|| owner.insert(id, number)).flatten() {
                        faults.add(FaultKind::Ids, || {
                            format!("{} has the id of {}", self.named(number), self.named(other))
                        });
                    }
                }
            }
        }
        counts.delivered = counts.due - faults.lost - counts.undecided;
        (counts, faults)
    }

    /// What was refused has arrived nowhere.
    fn judge_refused(&self, number: u32, faults: &mut Faults) {
        for at in self.room_of(number).filter(|at| self.has(number, at.place)) {
            faults.add(FaultKind::Invented, || {
                format!("{} was refused and arrived at {at}", self.named(number))
            });
        }
    }

    /// What was acknowledged has arrived everywhere.
    fn judge_missing(&self, number: u32, faults: &mut Faults) {
        for at in self.missing(number) {
            faults.add(FaultKind::Lost, || {
                format!(
                    "{} was acknowledged and never arrived at {at}",
                    self.named(number)
                )
            });
        }
    }

    /// The members of the message's room that have not got it, and whose connections last.
    fn missing(&self, number: u32) -> impl Iterator<Item = Member> {
        self.due_to(number).filter(move |at| !self.has(number, at.place))
    }

    /// The members of the message's room whose connections last.
    fn due_to(&self, number: u32) -> impl Iterator<Item = Member> {
        self.room_of(number).filter(|at| !self.is_gone(*at))
    }

    fn rows_with_numbers(&self) -> impl Iterator<Item = (u32, &Row)> {
        (0..self.plan.total()).zip(&self.rows)
    }
}
