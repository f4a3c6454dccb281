//! Command `bench baselines`: training steps and predictions of the neural baselines, in comparison
//! with PyTorch in the same run.

mod measured;
mod network;
mod ours;
mod process;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use self::measured::Measured;
use self::network::Network;
use self::process::Peer;

/// Training steps and predictions of the neural baselines; data are random.
#[derive(Args)]
pub struct BaselinesBench {
    /// Networks; a comma between several. All when nothing is said.
    #[arg(long, value_enum, value_delimiter = ',')]
    network: Vec<Network>,
    #[command(flatten)]
    sizes: Sizes,
    /// Rounds; ours and the peer's take turns, each in a process of its own, and the best of each
    /// counts.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Folder of the networks in PyTorch, with their program bench.py: tests/reference.
    #[arg(long, value_name = "DIR")]
    reference: Option<PathBuf>,
    /// The Python to run it with.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Measure one network once in this process, and print a JSON line.
    #[arg(long, hide = true)]
    once: bool,
}

/// Sizes of the measured work.
#[derive(Args, Clone, Debug)]
pub struct Sizes {
    /// Scans of a training step, instead of the paper's; 8 for BolT, whose step in PyTorch takes a
    /// gigabyte for every two scans.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    batch: Option<u32>,
    /// Scans that are predicted.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    scans: u32,
    /// Volumes of a scan, with a TR of 0.72 s; a network takes the crop of its paper if that is
    /// shorter.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(8..))]
    volumes: u32,
    /// ROIs.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..))]
    rois: u32,
    /// Training steps, and predictions of all scans, whose median is reported; one more comes
    /// first.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Threads of both.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

impl BaselinesBench {
    /// Measures, and prints the table.
    ///
    /// # Errors
    /// If a network cannot be measured, or the peer fails.
    pub fn run(self) -> Result<()> {
        let networks = match &self.network[..] {
            [] => Network::value_variants(),
            asked => asked,
        };
        if self.once {
            for network in networks {
                let round = ours::measure(*network, &self.sizes)?;
                println!("{}", serde_json::to_string(&round)?);
            }
            return Ok(());
        }
        println!("{}", measured::title(&self.sizes));
        for &network in networks {
            let mut measured = Measured::new(network);
            for _ in 0..self.rounds {
                measured.ours.push(process::ours(network, &self.sizes)?);
                if let Some(folder) = &self.reference {
                    let peer = Peer {
                        python: &self.python,
                        folder,
                    };
                    measured.peer.push(peer.round(network, &self.sizes)?);
                }
            }
            println!("{measured}");
        }
        Ok(())
    }
}
