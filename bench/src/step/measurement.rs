//! Measurement of one case, with derived quantities.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::case::{Case, word};
use super::ceiling::Ceiling;
use super::work::StepWork;

/// Name of our program in the rows.
pub const OURS: &str = "brainmae";
/// Name of the peer in the rows.
pub const PEER: &str = "reference";

/// One round of one program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// [`OURS`] or [`PEER`].
    pub who: String,
    /// Median milliseconds of a step.
    pub ms_per_step: f64,
    /// Peak main memory of the process, in MiB.
    pub peak_mib: Option<f64>,
    /// Peak GPU memory, in MiB. For our process, this includes some hundred MiB of CUDA itself and
    /// the memory that LibTorch caches; for the peer, it is the memory of the tensors alone, as
    /// reported by the peer.
    pub peak_gpu_mib: Option<f64>,
}

/// Measurement of a case. Derived quantities refer to our best round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// Case that was measured, always with its batch size.
    #[serde(flatten)]
    pub case: Case,
    /// Threads of both programs.
    pub threads: usize,
    /// Version of LibTorch for a `libtorch:` device.
    pub libtorch: Option<String>,
    /// Rounds, in the order of measurement.
    pub rows: Vec<Row>,
    /// Milliseconds per step in which training waited for its batch.
    pub waited_ms_per_step: f64,
    /// Arithmetic of a step, in GFLOP.
    pub gflop_per_step: f64,
    /// Arithmetic per second of a step.
    pub gflop_per_s: f64,
    /// Arithmetic per second of a large product.
    pub product_gflop_per_s: f64,
    /// Ratio of the two values above.
    pub fraction_of_product: f64,
    /// Bytes that a step must move at least, in GB.
    pub gb_per_step: f64,
    /// Bytes moved per second of a step, in GB/s.
    pub gb_per_s: f64,
    /// Bytes moved per second of a copy, in GB/s.
    pub copy_gb_per_s: f64,
    /// Ratio of the two values above.
    pub fraction_of_copy: f64,
    /// Lower bound of a step in milliseconds, the larger one of arithmetic and bytes.
    pub roofline_ms: f64,
    /// Origin of this bound: `product` or `copy`.
    pub limited_by: String,
    /// Ratio of the lower bound to the measured time.
    pub fraction_of_roofline: f64,
    /// Ratio of our best time to the peer's best time.
    pub ratio: Option<f64>,
}

impl Measurement {
    /// Derives all quantities from the rounds; `None` if none of them is ours.
    pub fn new(
        case: Case,
        threads: usize,
        rows: Vec<Row>,
        work: StepWork,
        ceiling: Ceiling,
    ) -> Option<Self> {
        let ms = best(&rows, OURS)?.ms_per_step;
        let (gflop_per_s, gb_per_s) = (work.flop / ms / 1e6, work.bytes / ms / 1e6);
        let bound = ceiling.bound(work);
        Some(Self {
            case: Case {
                precision: brainmae_model::Precision::F32,
                batch: Some(case.batch()),
                ..case
            },
            threads,
            libtorch: None,
            waited_ms_per_step: 0.0,
            gflop_per_step: work.flop / 1e9,
            gflop_per_s,
            product_gflop_per_s: ceiling.gflop_per_s,
            fraction_of_product: gflop_per_s / ceiling.gflop_per_s,
            gb_per_step: work.bytes / 1e9,
            gb_per_s,
            copy_gb_per_s: ceiling.gb_per_s,
            fraction_of_copy: gb_per_s / ceiling.gb_per_s,
            roofline_ms: bound.ms,
            limited_by: bound.limit.word().to_string(),
            fraction_of_roofline: bound.ms / ms,
            ratio: best(&rows, PEER).map(|peer| ms / peer.ms_per_step),
            rows,
        })
    }

    /// Best round of [`OURS`] or [`PEER`].
    pub fn best(&self, who: &str) -> Option<&Row> {
        best(&self.rows, who)
    }

    /// Peak memory over all rounds in MiB: of the GPU for a case on a GPU, otherwise main memory.
    pub fn peak_mib(&self, who: &str) -> Option<f64> {
        let of = self.rows.iter().filter(|row| row.who == who);
        of.filter_map(|row| match self.case.gpu() {
            Some(_) => row.peak_gpu_mib,
            None => row.peak_mib,
        })
        .max_by(f64::total_cmp)
    }
}

fn best<'a>(rows: &'a [Row], who: &str) -> Option<&'a Row> {
    let of = rows.iter().filter(|row| row.who == who);
    of.min_by(|a, b| a.ms_per_step.total_cmp(&b.ms_per_step))
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let batch = self.case.batch();
        writeln!(
            f,
            "a step of {}, {} {}, batch {batch}, {} threads, {}",
            word(&self.case.work),
            word(&self.case.size),
            word(&self.case.tse),
            self.threads,
            self.case.device
        )?;
        writeln!(
            f,
            "{:<12}{:>12}{:>12}{:>12}{:>12}{:>12}",
            "who", "ms per step", "samples/s", "GFLOP/s", "GB/s", "peak MiB"
        )?;
        for row in &self.rows {
            let ms = row.ms_per_step;
            writeln!(
                f,
                "{:<12}{:>12.*}{:>12.1}{:>12.0}{:>12.1}{:>12}",
                row.who,
                usize::from(ms < 100.0),
                ms,
                batch as f64 / ms * 1e3,
                self.gflop_per_step / ms * 1e3,
                self.gb_per_step / ms * 1e3,
                row.peak_mib.map_or("–".into(), |mib| format!("{mib:.0}")),
            )?;
        }
        writeln!(
            f,
            "waited for batches: {:.1} ms per step",
            self.waited_ms_per_step
        )?;
        writeln!(
            f,
            "the best step does {:.0} % of the {:.0} GFLOP/s of a large product, and moves its {:.2} GB at {:.0} % of the {:.1} GB/s of a copy",
            100.0 * self.fraction_of_product,
            self.product_gflop_per_s,
            self.gb_per_step,
            100.0 * self.fraction_of_copy,
            self.copy_gb_per_s
        )?;
        write!(
            f,
            "roofline: {:.1} ms at least, for its {}; the best step is at {:.0} % of it",
            self.roofline_ms,
            match self.limited_by.as_str() {
                "copy" => "bytes",
                _ => "arithmetic",
            },
            100.0 * self.fraction_of_roofline
        )?;
        match self.ratio {
            Some(ratio) => write!(f, "\nratio of the best rounds: {ratio:.2}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::case::{Size, Tse, Work};
    use super::*;
    use brainmae_machine::device::DeviceName;

    /// Two rounds of each program; 2 GFLOP and 0.5 GB, with lower bounds of 10 and 5 ms.
    pub fn example() -> Measurement {
        let row = |who: &str, ms_per_step, peak_mib| Row {
            who: who.to_string(),
            ms_per_step,
            peak_mib: Some(peak_mib),
            peak_gpu_mib: None,
        };
        let case = Case {
            size: Size::Quick,
            tse: Tse::Static,
            work: Work::Training,
            device: DeviceName::Cpu,
            precision: brainmae_model::Precision::F32,
            batch: None,
        };
        let rows = vec![
            row(OURS, 25.0, 180.0),
            row(PEER, 100.0, 1900.0),
            row(OURS, 20.0, 182.0),
            row(PEER, 80.0, 1900.0),
        ];
        let work = StepWork {
            flop: 2e9,
            bytes: 5e8,
        };
        let ceiling = Ceiling {
            gflop_per_s: 200.0,
            gb_per_s: 100.0,
        };
        Measurement::new(case, 2, rows, work, ceiling).expect("a round of ours")
    }

    #[test]
    fn everything_follows_from_the_best_round() {
        let m = example();
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}");
        near(m.gflop_per_s, 100.0);
        near(m.fraction_of_product, 0.5);
        near(m.gb_per_s, 25.0);
        near(m.fraction_of_copy, 0.25);
        near(m.roofline_ms, 10.0);
        near(m.fraction_of_roofline, 0.5);
        near(m.ratio.expect("a peer"), 0.25);
        assert_eq!((m.limited_by.as_str(), m.case.batch), ("product", Some(32)));
        assert_eq!(m.peak_mib(OURS), Some(182.0));
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        let text = serde_json::to_string(&example()).expect("JSON");
        assert!(
            text.contains(r#""device":"cpu","precision":"f32","batch":32"#),
            "{text}"
        );
        let read: Measurement = serde_json::from_str(&text).expect("the same");
        assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
    }
}
