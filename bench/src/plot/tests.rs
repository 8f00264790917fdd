use super::*;
use crate::curve::Point;
use crate::sample::{Metric, Spread};

fn curve() -> Curve {
    Curve {
        name: "reads".to_owned(),
        title: "XREAD < & >".to_owned(),
        size_title: "readers".to_owned(),
        metric: Metric::CpuNs,
        points: Vec::new(),
    }
}

fn line(peer: &str, values: &[(u64, f64)]) -> Line {
    let value = |(size, median): &(u64, f64)| {
        let (median, min, max) = (*median, median * 0.9, median * 1.2);
        (*size, Spread { median, min, max })
    };
    Line {
        peer: peer.to_owned(),
        values: values.iter().map(value).collect(),
    }
}

/// Checks that tags are closed in the order in which they were opened and that every text is
/// escaped; returns the number of elements.
fn elements_of_well_formed(xml: &str) -> usize {
    let (mut open, mut count) = (Vec::new(), 0);
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        assert!(!text.contains('>'), "{text}");
        for entity in text.split('&').skip(1) {
            assert!(
                ["amp;", "lt;", "gt;"]
                    .iter()
                    .any(|name| entity.starts_with(name)),
                "{text}"
            );
        }
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        count += 1;
        if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(rest.trim(), "");
    count
}

#[test]
fn a_picture_is_well_formed_and_needs_nothing_else() {
    let lines = [
        line("weir", &[(0, 400.0), (1000, 420.0), (10_000, 500.0)]),
        line("a<b", &[(0, 900.0), (1000, 1000.0), (10_000, 1200.0)]),
        line("third", &[(0, 0.0)]),
        line("fourth", &[(10_000, 1.0)]),
        line("fifth", &[(10_000, 1.0)]),
    ];
    let picture = svg(&curve(), &lines);
    assert!(elements_of_well_formed(&picture) > 40);
    assert!(picture.contains("XREAD &lt; &amp; &gt;"));
    assert!(!picture.contains("<script") && !picture.contains("url("));
    assert_eq!(picture.matches("http").count(), 1, "the name space alone");
    elements_of_well_formed(&svg(&curve(), &[]));
}

#[test]
fn points_lie_where_their_size_and_value_say() {
    let lines = [line("weir", &[(10, 600.0), (1000, 300.0), (100_000, 0.0)])];
    let axes = Axes::of(&lines);
    // The greatest round had 720, so that six steps of 200 would be too many, and four are enough.
    assert_eq!((axes.step, axes.steps), (200.0, 4));
    assert_eq!(axes.x(10), LEFT + INSET);
    assert_eq!(axes.x(1000), (LEFT + RIGHT) / 2.0);
    assert_eq!(axes.x(100_000), RIGHT - INSET);
    assert_eq!(axes.y(0.0), BOTTOM);
    assert_eq!(axes.y(800.0), TOP);
    assert_eq!(axes.y(400.0), (TOP + BOTTOM) / 2.0);
    let picture = svg(&curve(), &lines);
    assert!(
        picture.contains(r#"d="M92.0 159.0L380.0 259.5L668.0 360.0""#),
        "{picture}"
    );
    assert!(picture.contains("weir, 1 k: 300 CPU ns/op (270 to 360)"));
}

#[test]
fn zero_stands_a_decade_before_the_least_other_size() {
    let lines = [line("weir", &[(0, 1.0), (1000, 1.0), (10_000, 1.0)])];
    let axes = Axes::of(&lines);
    assert_eq!(axes.x(0), LEFT + INSET);
    assert!((axes.x(1000) - (LEFT + RIGHT) / 2.0).abs() < 0.001);
    assert_eq!(axes.x(10_000), RIGHT - INSET);
}

#[test]
fn a_single_size_stands_in_the_middle() {
    for size in [0, 1, 70] {
        let axes = Axes::of(&[line("weir", &[(size, 5.0)])]);
        assert_eq!(axes.x(size), (LEFT + RIGHT) / 2.0);
    }
}

#[test]
fn steps_are_round_and_cover_the_highest_value() {
    for (step, expected) in [
        (0.3, 0.5),
        (1.0, 1.0),
        (13.0, 20.0),
        (90.0, 100.0),
        (0.0, 1.0),
    ] {
        assert!((round_step(step) - expected).abs() < 1e-9, "{step}");
    }
    for highest in [0.0, 0.004, 1.0, 99.0, 101.0, 123_456.0] {
        let axes = Axes::of(&[line("weir", &[(1, highest)])]);
        let top = axes.step * f64::from(axes.steps);
        assert!(top >= highest * 1.2 * 0.999_999, "{highest}");
        assert!(axes.steps <= 7, "{highest}: {} steps", axes.steps);
    }
    assert_eq!(value_text(0.4, 0.2), "0.4");
    assert_eq!(value_text(1500.0, 500.0), "1500");
    assert_eq!(value_text(20_000.0, 10_000.0), "20 k");
}

#[test]
fn every_curve_with_values_becomes_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut result = crate::report::tests::result();
    result.curves = ["first", "second"]
        .map(|name| Curve {
            name: name.to_owned(),
            points: vec![Point { size: 10, lane: 0 }],
            ..curve()
        })
        .to_vec();
    result.curves[1].metric = Metric::DiskMb;
    let plots = folder.path().join("plots");
    assert_eq!(write_all(&plots, &[result]).unwrap(), 1);
    let picture = std::fs::read_to_string(plots.join("first.svg")).unwrap();
    elements_of_well_formed(&picture);
    assert!(picture.contains("redis86, 10: 2000 CPU ns/op (1900 to 2040)"));
}
