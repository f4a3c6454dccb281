//! Rounds of one network, and their row in the table.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use super::Sizes;
use super::network::Network;

/// What one process measured.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Round {
    /// Milliseconds of a training step.
    pub train_ms: f64,
    /// Milliseconds of the prediction of all scans.
    pub infer_ms: f64,
    /// Peak memory of the process, in MiB.
    pub peak_rss_mib: f64,
}

/// Rounds of a network.
pub struct Measured {
    network: Network,
    /// Rounds of our program.
    pub ours: Vec<Round>,
    /// Rounds of the peer; none if there is no peer.
    pub peer: Vec<Round>,
}

/// First lines of the table.
pub fn title(sizes: &Sizes) -> String {
    let Sizes {
        scans,
        rois,
        volumes,
        threads,
        ..
    } = sizes;
    format!(
        "a training step, and the prediction of {scans} scans; {rois} ROIs, at most {volumes} \
         volumes, {threads} threads\n\
         {:<14}{:<12}{:>12}{:>12}{:>8}",
        "network", "", "ours", "peer", "ratio"
    )
}

impl Measured {
    /// No round yet.
    pub fn new(network: Network) -> Self {
        Self {
            network,
            ours: Vec::new(),
            peer: Vec::new(),
        }
    }
}

/// The smallest number of all rounds; `None` without rounds.
fn best(rounds: &[Round], of: impl Fn(&Round) -> f64) -> Option<f64> {
    rounds.iter().map(of).min_by(f64::total_cmp)
}

impl Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        type Of = fn(&Round) -> f64;
        let quantities: [(&str, Of); 3] = [
            ("step, ms", |round| round.train_ms),
            ("predict, ms", |round| round.infer_ms),
            ("peak, MiB", |round| round.peak_rss_mib),
        ];
        for (i, (what, of)) in quantities.into_iter().enumerate() {
            let name = if i == 0 { self.network.name() } else { "" };
            let (ours, peer) = (best(&self.ours, of), best(&self.peer, of));
            let number = |number: Option<f64>, decimals: usize| match number {
                Some(number) => format!("{number:.decimals$}"),
                None => "–".to_string(),
            };
            let ratio = ours.zip(peer).map(|(ours, peer)| ours / peer);
            let end = if i < 2 { "\n" } else { "" };
            write!(
                f,
                "{name:<14}{what:<12}{:>12}{:>12}{:>8}{end}",
                number(ours, 1),
                number(peer, 1),
                number(ratio, 2)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_rounds_are_compared() {
        let round = |train_ms, infer_ms, peak_rss_mib| Round {
            train_ms,
            infer_ms,
            peak_rss_mib,
        };
        let mut measured = Measured::new(Network::Bolt);
        measured.ours = vec![round(20.0, 3.0, 100.0), round(10.0, 4.0, 110.0)];
        assert_eq!(
            measured.to_string().lines().next().expect("three lines"),
            "bolt          step, ms            10.0           –       –"
        );
        measured.peer = vec![round(40.0, 4.0, 400.0)];
        let text = measured.to_string();
        let ratios: Vec<&str> = text.lines().map(|line| &line[line.len() - 4..]).collect();
        assert_eq!(ratios, ["0.25", "0.75", "0.25"]);
    }
}
