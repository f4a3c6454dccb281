//! Variant of a task: the kind of signal file that all its scans have.
//!
//! Scans of one task that are cleaned in different ways differ by their cleaning, and a model
//! learns that difference if it goes with a subject, a site or a release.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use brainmae_files::id::ScanId;

use crate::error::{MixedTask, MixedVariants};

/// Variants of the signal files of one scan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Offer<R> {
    pub scan: ScanId,
    pub task: String,
    /// Each variant with its rank, which depends on its name alone; a higher rank is better.
    pub variants: Vec<(R, String)>,
}

/// How many scans of a task have a variant.
struct Share<R> {
    rank: R,
    n_scans: usize,
}

/// The variant of each task: its cleanest one, which all its scans must have. With `common`, it is
/// the cleanest one that all its scans have. Equal ranks: the variant of most scans, then the first
/// name.
///
/// # Errors
/// The tasks without such a variant, with the scans that lack it.
pub(crate) fn of_tasks<R: Ord + Copy>(
    offers: &[Offer<R>],
    common: bool,
) -> Result<BTreeMap<String, String>, MixedVariants> {
    let mut tasks: BTreeMap<&str, Vec<&Offer<R>>> = BTreeMap::new();
    for offer in offers {
        tasks.entry(&offer.task).or_default().push(offer);
    }
    let (mut chosen, mut mixed) = (BTreeMap::new(), Vec::new());
    for (task, offers) in tasks {
        match of_task(task, &offers, common) {
            Ok(Some(variant)) => {
                chosen.insert(task.to_owned(), variant);
            }
            Ok(None) => {}
            Err(problem) => mixed.push(problem),
        }
    }
    match mixed.is_empty() {
        true => Ok(chosen),
        false => Err(MixedVariants {
            tasks: mixed,
            common_asked: common,
        }),
    }
}

fn of_task<R: Ord + Copy>(
    task: &str,
    offers: &[&Offer<R>],
    common: bool,
) -> Result<Option<String>, MixedTask> {
    let mut shares: BTreeMap<&str, Share<R>> = BTreeMap::new();
    for offer in offers {
        let distinct: BTreeMap<&str, R> = offer
            .variants
            .iter()
            .map(|(rank, name)| (name.as_str(), *rank))
            .collect();
        for (name, rank) in distinct {
            let share = shares.entry(name).or_insert(Share { rank, n_scans: 0 });
            share.n_scans += 1;
        }
    }
    let cleanest = shares
        .iter()
        .max_by_key(|(name, share)| (share.rank, share.n_scans, Reverse(**name)));
    let common_one = shares
        .iter()
        .filter(|(_, share)| share.n_scans == offers.len())
        .max_by_key(|(name, share)| (share.rank, Reverse(**name)))
        .map(|(name, _)| (*name).to_owned());
    let most_frequent = shares
        .iter()
        .max_by_key(|(name, share)| (share.n_scans, share.rank, Reverse(**name)));
    let wanted = if common { most_frequent } else { cleanest };
    let Some((wanted, share)) = wanted else {
        return Ok(None);
    };
    if common && common_one.is_some() {
        return Ok(common_one);
    }
    if share.n_scans == offers.len() {
        return Ok(Some((*wanted).to_owned()));
    }
    let lacks = |offer: &&&Offer<R>| !offer.variants.iter().any(|(_, name)| name == *wanted);
    Err(MixedTask {
        task: task.to_owned(),
        variant: (*wanted).to_owned(),
        n_scans: offers.len(),
        lacking: offers
            .iter()
            .filter(lacks)
            .map(|offer| offer.scan.clone())
            .collect(),
        common: common_one,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(scan: &str, task: &str, variants: &[(u8, &str)]) -> Offer<u8> {
        Offer {
            scan: scan.into(),
            task: task.to_owned(),
            variants: (variants.iter())
                .map(|(rank, name)| (*rank, (*name).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn each_task_has_a_variant_of_its_own() {
        let offers = [
            offer("1", "rest", &[(2, "clean"), (1, "plain")]),
            offer("2", "rest", &[(2, "clean")]),
            offer("3", "wm", &[(1, "plain")]),
        ];
        let expected = [("rest", "clean"), ("wm", "plain")].map(|(a, b)| (a.into(), b.into()));
        let expected = BTreeMap::from(expected);
        assert_eq!(of_tasks(&offers, false).as_ref(), Ok(&expected));
        assert_eq!(of_tasks(&offers, true).as_ref(), Ok(&expected));
        assert_eq!(of_tasks::<u8>(&[], false), Ok(BTreeMap::new()));
    }

    #[test]
    fn scans_that_lack_the_cleanest_variant_are_listed() {
        let offers = [
            offer("1", "rest", &[(2, "clean"), (1, "plain")]),
            offer("2", "rest", &[(1, "plain")]),
            offer("3", "rest", &[(2, "clean"), (1, "plain")]),
        ];
        let problem = of_tasks(&offers, false).expect_err("scan 2 lacks it");
        let [task] = &problem.tasks[..] else {
            panic!("one task");
        };
        assert_eq!((&*task.variant, task.n_scans), ("clean", 3));
        assert_eq!(task.lacking, ["2".into()]);
        assert_eq!(task.common.as_deref(), Some("plain"));
        let common = of_tasks(&offers, true).expect("all have the plain one");
        assert_eq!(common["rest"], "plain");
    }

    #[test]
    fn equal_ranks_are_decided_by_the_number_of_scans_and_then_by_name() {
        let offers = [
            offer("1", "rest", &[(1, "a"), (1, "b")]),
            offer("2", "rest", &[(1, "b")]),
        ];
        assert_eq!(of_tasks(&offers, false).expect("b")["rest"], "b");
        let offers = [offer("1", "rest", &[(1, "b"), (1, "a")])];
        assert_eq!(of_tasks(&offers, false).expect("a")["rest"], "a");
    }

    #[test]
    fn a_task_without_a_common_variant_is_refused_with_the_most_frequent_one() {
        let offers = [
            offer("1", "rest", &[(2, "clean")]),
            offer("2", "rest", &[(1, "plain")]),
            offer("3", "rest", &[(1, "plain")]),
        ];
        let problem = of_tasks(&offers, true).expect_err("nothing is common");
        assert_eq!(problem.tasks[0].variant, "plain");
        assert_eq!(problem.tasks[0].lacking, ["1".into()]);
        assert_eq!(problem.tasks[0].common, None);
    }
}
