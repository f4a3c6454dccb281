//! Tests of the order of blocks, and of blocks without a response.

use std::collections::BTreeSet;

use super::super::plan_cohort;
use super::*;

/// Orders of the conditions of six working-memory scans: two runs of three subjects.
fn orders(block_order: BlockOrder) -> Vec<Vec<String>> {
    let spec = CohortSpec {
        n_subjects: Some(3),
        tasks: vec!["wm".into()],
        file: Some(SeriesFile::Ptseries),
        defects: false,
        block_order,
        ..CohortSpec::default()
    };
    let atlas = atlas(2);
    let plan = plan_cohort(&spec, &atlas, &labels(&atlas)).unwrap();
    let stream = |name: &str| stream(spec.seed, name);
    (plan.scans.iter())
        .map(|scan| {
            let of_scan =
                |purpose: &str| stream(&format!("{}/{}/{purpose}", scan.person, scan.run));
            let blocks = blocks_of(&spec, scan, &stream, &of_scan);
            blocks.into_iter().map(|block| block.condition).collect()
        })
        .collect()
}

#[test]
fn an_order_is_shared_by_a_run_or_a_task_or_by_no_scans() {
    let n_different = |order| {
        let orders = orders(order);
        assert_eq!((orders.len(), orders[0].len()), (6, 8));
        orders.into_iter().collect::<BTreeSet<_>>().len()
    };
    assert_eq!(n_different(BlockOrder::Run), 2);
    assert_eq!(n_different(BlockOrder::Task), 1);
    assert_eq!(n_different(BlockOrder::Scan), 6);
    // Cohorts from before keep their identity.
    let usual = toml::to_string(&CohortSpec::default()).unwrap();
    assert!(!usual.contains("block_order"), "{usual}");
}

#[test]
fn blocks_need_not_evoke_a_response() {
    let mut spec = small(CohortLayout::Hcp);
    spec.effects.task_response = 0.0;
    spec.check().unwrap();
    let (atlas, stream) = (atlas(2), |name: &str| stream(spec.seed, name));
    let mut brain = Brain::draw(&spec, &atlas, &stream).unwrap();
    let blocks = task_design::blocks("wm", 200.0, &mut *stream("design"));
    brain.learn_responses("wm", &blocks, &stream);
    let mut responses = brain.responses.values().flatten();
    assert!(!blocks.is_empty() && responses.all(|response| *response == 0.0));
}
