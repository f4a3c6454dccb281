//! Command `bench linear`: logistic and ridge regression, in comparison with scikit-learn.

mod data;

use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use brainmae_statistics::linear::{LogisticPath, MOST_STEPS, RidgeGram, RidgePath, TOLERANCE};
use clap::{Args, ValueEnum};

use self::data::{Data, Sizes};
use super::peak_rss_mib;
use super::side_by_side::{Times, number, run_peer};

/// Source code of the peer, scikit-learn.
const PEER: &str = include_str!("linear.py");

/// Largest allowed difference of two predictions: probabilities of fits that end when no element of
/// the gradient is above 1e-6, and ridge predictions, which have a variance of about 20.
const LARGEST: f64 = 1e-4;

/// Linear models of random features that lie in memory.
#[derive(Args)]
pub struct LinearBench {
    /// Models to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["logistic", "ridge"])]
    model: Vec<Model>,
    /// Rows; each number is measured.
    #[arg(long, value_delimiter = ',', default_values_t = [2000, 300], value_parser = clap::value_parser!(u32).range(10..))]
    rows: Vec<u32>,
    /// Features of each row; 4,950 are the pairs of 100 ROIs.
    #[arg(long, default_value_t = 4950, value_parser = clap::value_parser!(u32).range(1..))]
    features: u32,
    /// Classes of the logistic regression.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..=10))]
    classes: u32,
    /// Targets of the ridge regression.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    targets: u32,
    /// Penalty of the logistic regression, per row.
    #[arg(long, default_value_t = 1.0)]
    penalty: f64,
    /// Penalties of the ridge regression, per row.
    #[arg(long, value_delimiter = ',', default_values_t = brainmae_downstream::linear::PENALTIES)]
    penalties: Vec<f64>,
    /// Rounds; ours and the peer's take turns, and the median of each counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Threads of both.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// A Python with scikit-learn to measure against.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Folder for what the peer reads, 90 MB, which is removed at the end; that of the system when
    /// nothing is said.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// A linear model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Model {
    /// Logistic regression with one penalty.
    Logistic,
    /// Ridge regression of several targets with all penalties.
    Ridge,
}

impl Model {
    /// Methods of the peer, with their names in the table.
    fn peers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Model::Logistic => &[("logistic", "LogisticRegression")],
            Model::Ridge => &[
                ("ridge", "Ridge, each penalty"),
                ("ridge-cv", "RidgeCV, one fit"),
            ],
        }
    }
}

impl LinearBench {
    /// Measures, and prints a table for each model and number of rows.
    ///
    /// # Errors
    /// If files cannot be written, the peer fails, or its predictions differ from ours.
    pub fn run(self) -> Result<()> {
        brainmae_ops::set_threads(self.threads);
        let parent = self.dir.clone().unwrap_or_else(std::env::temp_dir);
        let dir = parent.join(format!("brainmae-bench-{}", std::process::id()));
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {dir:?}"))?;
        let done = self.measure_all(&dir);
        std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {dir:?}"))?;
        done
    }

    fn measure_all(&self, dir: &Path) -> Result<()> {
        for rows in &self.rows {
            let data = Data::new(self.sizes(*rows));
            if self.python.is_some() {
                data.write(dir)?;
            }
            for model in &self.model {
                println!("{}", self.measure(*model, &data, dir)?);
            }
        }
        let mib = peak_rss_mib().map_or("unknown".into(), |mib| format!("{mib:.0} MiB"));
        println!("peak memory of this process: {mib}");
        Ok(())
    }

    fn sizes(&self, rows: u32) -> Sizes {
        let [rows, features, classes, targets] =
            [rows, self.features, self.classes, self.targets].map(|n| n as usize);
        Sizes {
            rows,
            features,
            classes,
            targets,
        }
    }

    fn measure(&self, model: Model, data: &Data, dir: &Path) -> Result<Measured> {
        let (rows, features) = data.x.shape();
        let what = match model {
            Model::Logistic => format!("{} classes, penalty {}", self.classes, self.penalty),
            Model::Ridge => format!(
                "{} targets, {} penalties",
                self.targets,
                self.penalties.len()
            ),
        };
        let threads = self.threads;
        let mut measured = Measured {
            title: format!(
                "{model:?}: {rows} rows x {features} features, {what}, {threads} threads"
            ),
            times: Times::default(),
            apart: 0.0,
            peer_mib: 0.0,
        };
        // Warm-up: threads start, and memory is allocated.
        self.ours(model, data);
        for _ in 0..self.rounds {
            let (ms, predictions) = self.ours(model, data);
            measured.times.note("ours", ms);
            let Some(python) = &self.python else {
                continue;
            };
            for (how, name) in model.peers() {
                let line = self.peer(python, model, how, dir)?;
                measured.times.note(name, number(&line, "ms")?);
                measured.peer_mib = measured.peer_mib.max(number(&line, "peak_rss_mib")?);
                let chosen = line["chosen"].as_array().map(|list| {
                    let numbers = list.iter().filter_map(|number| number.as_u64());
                    numbers.map(|number| number as usize).collect::<Vec<_>>()
                });
                let mine = match chosen {
                    Some(chosen) => self.with_penalties(&predictions, data, &chosen),
                    None => predictions.clone(),
                };
                let apart = largest_difference(&mine, &std::fs::read(dir.join("peer.f64"))?)?;
                ensure!(apart < LARGEST, "ours and {name} differ by {apart}");
                measured.apart = measured.apart.max(apart);
            }
        }
        Ok(measured)
    }

    /// Our fit: its time in milliseconds, and its predictions for the other rows, `[rows, classes]`
    /// or `[penalties, rows, targets]`, row-major.
    fn ours(&self, model: Model, data: &Data) -> (f64, Vec<f64>) {
        let started = Instant::now();
        match model {
            Model::Logistic => {
                let mut path = LogisticPath::new(&data.x, &data.classes, self.classes as usize);
                let fitted = path.at(self.penalty);
                let ms = started.elapsed().as_secs_f64() * 1e3;
                (ms, fitted.predict(&data.other))
            }
            Model::Ridge => {
                let gram = RidgeGram::new(&data.x);
                let path = RidgePath::new(&data.x, &gram, &data.targets);
                let fitted = path.at(&self.penalties);
                let ms = started.elapsed().as_secs_f64() * 1e3;
                let mut predictions = Vec::new();
                for ridge in fitted {
                    // The transpose is row-major.
                    let rows = ridge.predict(&data.other).transpose();
                    predictions.extend_from_slice(rows.as_slice());
                }
                (ms, predictions)
            }
        }
    }

    /// Predictions `[rows, targets]` with the penalty `chosen` for each target, from those with all
    /// penalties.
    fn with_penalties(&self, all: &[f64], data: &Data, chosen: &[usize]) -> Vec<f64> {
        let n_targets = chosen.len();
        let each = data.other.nrows() * n_targets;
        (0..each)
            .map(|i| all[chosen[i % n_targets] * each + i])
            .collect()
    }

    /// One fit of a method of scikit-learn; its predictions are in a file then.
    fn peer(
        &self,
        python: &Path,
        model: Model,
        how: &str,
        dir: &Path,
    ) -> Result<serde_json::Value> {
        let penalties = match model {
            Model::Logistic => self.penalty.to_string(),
            Model::Ridge => {
                let list: Vec<_> = self.penalties.iter().map(f64::to_string).collect();
                list.join(",")
            }
        };
        let words = [
            how.to_string(),
            self.features.to_string(),
            self.classes.to_string(),
            self.targets.to_string(),
            self.threads.to_string(),
            penalties,
            TOLERANCE.to_string(),
            MOST_STEPS.to_string(),
        ];
        let mut arguments = vec![dir.as_os_str()];
        arguments.extend(words.iter().map(OsStr::new));
        run_peer(python, PEER, &arguments)
    }
}

fn largest_difference(ours: &[f64], theirs: &[u8]) -> Result<f64> {
    let (theirs, rest) = theirs.as_chunks::<8>();
    ensure!(
        rest.is_empty() && theirs.len() == ours.len(),
        "the peer wrote {} predictions, and ours are {}",
        theirs.len(),
        ours.len()
    );
    let apart = ours.iter().zip(theirs);
    let apart = apart.map(|(ours, theirs)| (ours - f64::from_le_bytes(*theirs)).abs());
    // NaN also counts as a difference.
    Ok(
        apart.fold(0.0, |most, apart| match apart.is_nan() || apart > most {
            true => apart,
            false => most,
        }),
    )
}

/// Times, memory and differences of a model.
struct Measured {
    title: String,
    times: Times,
    apart: f64,
    peer_mib: f64,
}

impl Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        write!(f, "{}", self.times)?;
        if self.peer_mib > 0.0 {
            writeln!(f, "peak memory of the peer: {:.0} MiB", self.peer_mib)?;
            writeln!(f, "largest difference from the peer: {:.1e}", self.apart)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        bench: LinearBench,
    }

    fn bench(arguments: &[&str]) -> LinearBench {
        let line = ["bench"].iter().chain(arguments).copied();
        Line::try_parse_from(line).expect("known arguments").bench
    }

    #[test]
    fn what_differs_is_seen() {
        let bytes = |values: [f64; 2]| values.map(f64::to_le_bytes).concat();
        let apart = |theirs: &[u8]| largest_difference(&[1.0, 0.5], theirs);
        assert_eq!(apart(&bytes([1.0, 0.25])).expect("as many"), 0.25);
        assert!(apart(&bytes([f64::NAN, 0.5])).expect("as many").is_nan());
        assert!(apart(&bytes([1.0, 0.5])[..8]).is_err());
    }

    #[test]
    fn the_chosen_penalty_of_each_target_is_compared() {
        let bench = bench(&[
            "--features",
            "3",
            "--targets",
            "2",
            "--penalties",
            "100,0.1",
        ]);
        let data = Data::new(bench.sizes(20));
        let (_, all) = bench.ours(Model::Ridge, &data);
        let n = data.other.nrows();
        assert_eq!(all.len(), 2 * n * 2);
        let chosen = bench.with_penalties(&all, &data, &[1, 0]);
        for row in 0..n {
            let of = |penalty: usize, target: usize| all[penalty * 2 * n + row * 2 + target];
            assert_eq!(chosen[2 * row..2 * row + 2], [of(1, 0), of(0, 1)]);
        }
    }
}
