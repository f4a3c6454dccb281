//! Command `bench all`: every case of `bench step`, each in a separate process, so that peak memory
//! is measured per case.

mod child;
mod machine;
mod table;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use brainmae_machine::device::DeviceName;
use brainmae_model::Precision;
use clap::Args;
use serde::Serialize;

use self::machine::Machine;
use super::step::{Case, Measurement, Size, Tse, Work};

/// Samples of a paper step on a CPU; the size's own 64 would take minutes.
const PAPER_BATCH_ON_CPU: usize = 4;

/// Steps measured in each round on a CPU, and on a GPU, where they take milliseconds.
const STEPS: u64 = 3;
const STEPS_ON_GPU: u64 = 20;

/// Steps of every size, encoder, work and device.
#[derive(Args)]
pub struct AllBench {
    /// Sizes of model and batch. On a CPU, the batch of paper is 4.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["quick", "paper"])]
    size: Vec<Size>,
    /// Transient state encoders.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["static", "adaptive"])]
    tse: Vec<Tse>,
    /// What a step does.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["training", "inference"])]
    work: Vec<Work>,
    /// Where tensors live; a comma between several.
    #[arg(long, value_delimiter = ',', default_values_t = [DeviceName::Cpu])]
    device: Vec<DeviceName>,
    /// Kinds of number that products are taken in, where a device has them; f32 on a CPU and all
    /// three on a GPU when nothing is said.
    #[arg(long, value_delimiter = ',')]
    precision: Vec<Precision>,
    /// Steps measured in each round, instead of 3 on a CPU and 20 on a GPU.
    #[arg(long)]
    steps: Option<u64>,
    /// Rounds; ours and the peer's take turns.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Threads of both, instead of one for each core.
    #[arg(long)]
    threads: Option<usize>,
    /// A Python program that times the peer's step, as `bench step` takes it.
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// The Python to run it with.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Folder for bench.json and bench.md.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

/// Result of a case: its measurement, or the reason why there is none.
#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Measured(Box<Measurement>),
    Failed {
        #[serde(flatten)]
        case: Case,
        failed: String,
    },
}

/// Content of bench.json.
#[derive(Serialize)]
struct Record {
    machine: Machine,
    measurements: Vec<Outcome>,
}

impl AllBench {
    /// Measures all cases, prints a table, and writes both files, even if some cases fail.
    ///
    /// # Errors
    /// If a case failed, or a file cannot be written.
    pub fn run(self) -> Result<()> {
        let cases = self.cases();
        let mut measurements = Vec::new();
        for (i, case) in cases.iter().enumerate() {
            eprintln!("── {} of {}: {} ──", i + 1, cases.len(), table::name(case));
            measurements.push(match child::measure(case, &self.arguments(case)) {
                Ok(measured) => Outcome::Measured(Box::new(measured)),
                Err(error) => {
                    eprintln!("failed: {error:#}");
                    Outcome::Failed {
                        case: *case,
                        failed: format!("{error:#}"),
                    }
                }
            });
        }
        let peer = self.reference.is_some().then_some(self.python.as_path());
        let machine = Machine::here(peer, &measurements);
        let record = Record {
            machine,
            measurements,
        };
        let table = table::markdown(&record);
        print!("{table}");
        let json = serde_json::to_string_pretty(&record)?;
        write(&self.out.join("bench.json"), &json)?;
        write(&self.out.join("bench.md"), &table)?;
        let failed = record.measurements.iter();
        let failed = failed.filter(|outcome| matches!(outcome, Outcome::Failed { .. }));
        match failed.count() {
            0 => Ok(()),
            n => bail!("{n} of {} cases failed, see the table", cases.len()),
        }
    }

    /// Cases in order of device.
    fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for &device in &self.device {
            for &size in &self.size {
                for &tse in &self.tse {
                    for (&work, precision) in self.work.iter().flat_map(|work| {
                        self.precisions(device).into_iter().map(move |p| (work, p))
                    }) {
                        let mut case = Case {
                            size,
                            tse,
                            work,
                            device,
                            precision,
                            batch: None,
                        };
                        let small = size == Size::Paper && case.gpu().is_none();
                        case.batch = Some(if small {
                            PAPER_BATCH_ON_CPU
                        } else {
                            case.batch()
                        });
                        cases.push(case);
                    }
                }
            }
        }
        cases
    }

    /// Requested precisions that the device supports.
    fn precisions(&self, device: DeviceName) -> Vec<Precision> {
        let asked = match (&self.precision[..], device) {
            ([], DeviceName::LibTorchCuda(_)) => {
                &[Precision::F32, Precision::Tf32, Precision::Bf16]
            }
            ([], _) => &[Precision::F32][..],
            (asked, _) => asked,
        };
        let has = |precision: &Precision| device.lacks(*precision).is_none();
        asked.iter().copied().filter(has).collect()
    }

    /// Arguments of `bench step` besides the case.
    fn arguments(&self, case: &Case) -> Vec<String> {
        let own = case.gpu().map_or(STEPS, |_| STEPS_ON_GPU);
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let mut arguments = vec![
            format!("--steps={}", self.steps.unwrap_or(own)),
            format!("--rounds={}", self.rounds),
            format!("--threads={}", self.threads.unwrap_or(cores)),
            format!("--python={}", self.python.display()),
        ];
        if let Some(file) = &self.reference {
            arguments.push(format!("--reference={}", file.display()));
        }
        arguments
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {path:?}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        bench: AllBench,
    }

    fn cases(arguments: &[&str]) -> Vec<String> {
        let line = std::iter::once("bench").chain(arguments.iter().copied());
        let bench = Line::try_parse_from(line).expect("known arguments").bench;
        bench.cases().iter().map(table::name).collect()
    }

    #[test]
    fn everything_is_measured_unless_said_otherwise() {
        let all = cases(&["--device", "cpu,libtorch:cuda:0"]);
        assert_eq!(all.len(), 32);
        assert_eq!(all[0], "quick SG, 32, training on cpu");
        assert_eq!(all[7], "paper AG, 4, inference on cpu");
        assert_eq!(all[31], "paper AG, 64, inference on libtorch:cuda:0, bf16");
        // A device is not measured with a precision that it lacks.
        let bf16 = cases(&["--device", "cpu,libtorch:cpu", "--precision", "bf16"]);
        assert_eq!(bf16.len(), 8);
        assert_eq!(bf16[0], "quick SG, 32, training on libtorch:cpu, bf16");
        let some = cases(&["--size", "quick", "--tse", "adaptive"]);
        assert_eq!(
            some,
            [
                "quick AG, 32, training on cpu",
                "quick AG, 32, inference on cpu"
            ]
        );
    }
}
