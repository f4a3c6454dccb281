//! Progress of long work on stderr, with the remaining time: a bar on a terminal, a line now and
//! then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

/// Interval between printed lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// The progress of one piece of work, in steps.
pub struct Steps {
    name: String,
    total: u64,
    done: u64,
    first: u64,
    bar: Option<ProgressBar>,
    started: Instant,
    printed: Instant,
}

impl Steps {
    /// Starts the progress of work called `name`, of `total` steps.
    pub fn new(name: &str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style =
                "{prefix} {wide_bar:.cyan/238} {pos}/{len}  {elapsed} elapsed, {eta} left  {msg}";
            let style = ProgressStyle::with_template(style);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total)
                .with_style(style)
                .with_prefix(name.to_string())
        });
        let now = Instant::now();
        Self {
            name: name.to_string(),
            total,
            done: 0,
            first: u64::MAX,
            bar,
            started: now,
            printed: now,
        }
    }

    /// Sets the first step of a resumed run: its pace is that of the steps after the first `done`
    /// ones.
    pub fn begin_after(&mut self, done: u64) {
        if self.first == u64::MAX {
            self.first = done;
            if let Some(bar) = &self.bar {
                bar.set_position(self.first);
                bar.reset_eta();
            }
        }
    }

    /// Reports that `done` steps are done; `message` describes the last one.
    pub fn set(&mut self, done: u64, message: String) {
        self.begin_after(done.saturating_sub(1));
        self.done = done;
        match &self.bar {
            Some(bar) => {
                bar.set_position(done);
                bar.set_message(message);
            }
            None if self.printed.elapsed() >= LINE_EVERY || done == self.total => {
                self.printed = Instant::now();
                let elapsed = self.started.elapsed();
                let pace = elapsed.div_f64((done - self.first).max(1) as f64);
                let left = pace.mul_f64((self.total - done.min(self.total)) as f64);
                eprintln!(
                    "{}: {done}/{}  {} elapsed, {} left  {message}",
                    self.name,
                    self.total,
                    HumanDuration(elapsed),
                    HumanDuration(left)
                );
            }
            None => {}
        }
    }

    /// Reports one more step.
    pub fn tick(&mut self, message: String) {
        self.set(self.done + 1, message);
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
