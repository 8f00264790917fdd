use super::*;
use crate::peer::Places;
use crate::runner;

fn quick_setup(folder: &std::path::Path) -> Setup {
    Setup {
        scale: Scale::Quick,
        sizes: Sizes::Usual,
        io_threads: 1,
        connections: 4,
        data_dir: folder.to_owned(),
        cores: Cores::of_this_machine().unwrap(),
        texts: Texts::new(),
    }
}

/// Runs the quick form of a suite on the servers that are there: weir when it was built, the others
/// when they were fetched. So no bench rots unseen.
fn run_quickly(suite: Suite) {
    let folder = tempfile::tempdir().unwrap();
    let setup = quick_setup(folder.path());
    let places = Places::from_environment();
    let peers: Vec<Peer> = crate::peer::DEFAULT_PEERS
        .iter()
        .filter_map(|name| places.find(name).ok())
        .collect();
    for work in all(&setup).into_iter().filter(|work| work.suite() == suite) {
        let result = runner::run(work.as_ref(), &peers, &setup, 1);
        let failures: Vec<_> = result.failures().collect();
        assert!(failures.is_empty(), "{}: {failures:?}", work.name());
        assert!(
            result.differing_lanes().is_empty(),
            "{}: replies differ",
            work.name()
        );
    }
}

#[test]
fn streams_run_in_their_quick_form() {
    run_quickly(Suite::Streams);
}

#[test]
fn works_by_tls_run_in_their_quick_form() {
    run_quickly(Suite::Tls);
}

#[test]
fn types_run_in_their_quick_form() {
    run_quickly(Suite::Types);
}

#[test]
fn scripts_run_in_their_quick_form() {
    run_quickly(Suite::Scripts);
}

#[test]
fn works_beside_operators_run_in_their_quick_form() {
    run_quickly(Suite::Console);
}

#[test]
fn works_of_tracking_run_in_their_quick_form() {
    run_quickly(Suite::Tracking);
}

#[test]
fn works_of_users_run_in_their_quick_form() {
    run_quickly(Suite::Users);
}

#[test]
fn works_beyond_redis_run_in_their_quick_form() {
    run_quickly(Suite::Beyond);
}

#[test]
fn works_of_memory_run_in_their_quick_form() {
    run_quickly(Suite::Memory);
}

#[test]
fn durable_works_run_in_their_quick_form() {
    run_quickly(Suite::Durable);
}

#[test]
fn replicated_works_run_in_their_quick_form() {
    run_quickly(Suite::Replicated);
}

#[test]
fn steady_works_run_in_their_quick_form() {
    run_quickly(Suite::Steady);
}

#[test]
fn attacks_run_in_their_quick_form() {
    run_quickly(Suite::Attacks);
}

#[test]
fn works_of_scale_run_in_their_quick_form() {
    run_quickly(Suite::Scale);
}

#[test]
fn every_lane_of_scale_is_a_point_of_a_curve_with_a_name_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for scale in [Scale::Quick, Scale::Full(1.0)] {
        let setup = Setup {
            scale,
            ..quick_setup(folder.path())
        };
        let works = select(all(&setup), &["scale".to_owned()]);
        let mut names = std::collections::HashSet::new();
        for work in &works {
            let curves = work.curves();
            for lane in 0..work.lanes().len() {
                let on_curve = |curve: &Curve| curve.points.iter().any(|point| point.lane == lane);
                assert!(curves.iter().any(on_curve), "{}: lane {lane}", work.name());
            }
            for curve in curves {
                assert!(
                    curve
                        .points
                        .iter()
                        .all(|point| point.lane < work.lanes().len())
                );
                assert!(names.insert(curve.name.clone()), "{}", curve.name);
            }
        }
        assert!(names.len() >= 10);
    }
}

#[test]
fn names_are_unique_and_every_work_has_a_lane() {
    let folder = tempfile::tempdir().unwrap();
    let works = all(&quick_setup(folder.path()));
    let mut names: Vec<String> = works.iter().map(|work| work.name()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), works.len());
    assert!(works.iter().all(|work| !work.lanes().is_empty()));
}

#[test]
fn a_filter_is_a_suite_or_a_name_or_else_part_of_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let chosen = |filters: &[&str]| {
        let filters: Vec<String> = filters.iter().map(|filter| (*filter).to_owned()).collect();
        let works = select(all(&quick_setup(folder.path())), &filters);
        works.iter().map(|work| work.name()).collect::<Vec<_>>()
    };
    assert_eq!(chosen(&["ping-gap"]), ["ping-gap"]);
    assert_eq!(chosen(&["ping"]), ["ping-gap", "ping-gap-streams"]);
    assert_eq!(
        chosen(&["fan-out", "restart"]),
        ["fan-out-50", "fan-out-100", "restart"]
    );
    assert!(chosen(&["durable"]).contains(&"always-p16-c50".to_owned()));
    assert!(chosen(&["nothing like it"]).is_empty());
    assert_eq!(chosen(&[]).len(), all(&quick_setup(folder.path())).len());
}
