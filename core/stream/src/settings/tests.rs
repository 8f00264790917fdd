use std::collections::BTreeSet;

use super::*;

fn rows_are_sound<S: Settings>() {
    let default = S::default();
    let (mut words, mut tags) = (BTreeSet::new(), BTreeSet::new());
    for row in S::ROWS {
        assert!(words.insert(row.word), "{} is there twice", row.word);
        assert!(tags.insert(row.tag), "tag {} is there twice", row.tag);
        assert_eq!(row.word, row.word.to_ascii_uppercase());
        assert!(row.form.allows((row.get)(&default)), "{}", row.word);
        let values: Vec<SettingValue<'_>> = match row.form {
            Form::Word(words) => (0..words.len() as u64).map(SettingValue::Number).collect(),
            Form::Number { min, max } => [min, max].map(SettingValue::Number).to_vec(),
            Form::Span { max } => vec![SettingValue::Span(0, max), SettingValue::Span(max, max)],
            Form::Text { bytes_max } => vec![SettingValue::Text(b"text"); bytes_max.min(1)],
        };
        for value in values {
            let mut settings = S::default();
            (row.set)(&mut settings, value);
            assert_eq!((row.get)(&settings), value, "{}", row.word);
        }
        assert_eq!(
            Row::<S>::tagged(u64::from(row.tag)).map(|row| row.word),
            Some(row.word)
        );
    }
}

#[test]
fn rows_have_words_and_tags_of_their_own_and_read_what_they_set() {
    rows_are_sound::<StreamSettings>();
    rows_are_sound::<GroupSettings>();
}

#[test]
fn a_form_takes_what_is_within_it_and_nothing_else() {
    let word = Form::Word(&["IGNORE", "ERROR"]);
    assert_eq!(word.parse(b"error", b""), Ok(SettingValue::Number(1)));
    assert_eq!(word.parse(b"ERRORS", b""), Err(NotAValue::NotAllowed));
    assert!(!word.allows(SettingValue::Number(2)));
    let number = Form::Number { min: 1, max: 9 };
    assert_eq!(number.parse(b"9", b""), Ok(SettingValue::Number(9)));
    assert_eq!(number.parse(b"10", b""), Err(NotAValue::NotAllowed));
    assert_eq!(number.parse(b"-1", b""), Err(NotAValue::NotAllowed));
    assert_eq!(number.parse(b"x", b""), Err(NotAValue::NotANumber));
    let span = Form::Span { max: 9 };
    assert_eq!(span.parse(b"3", b"9"), Ok(SettingValue::Span(3, 9)));
    assert_eq!(span.parse(b"4", b"3"), Err(NotAValue::NotAllowed));
    assert_eq!(span.parse(b"4", b"10"), Err(NotAValue::NotAllowed));
    assert_eq!(span.parse(b"4", b"x"), Err(NotAValue::NotANumber));
    let text = Form::Text { bytes_max: 2 };
    assert_eq!(text.parse(b"ab", b""), Ok(SettingValue::Text(b"ab")));
    assert_eq!(text.parse(b"abc", b""), Err(NotAValue::NotAllowed));
    assert!(!text.allows(SettingValue::Number(1)));
}

#[test]
fn the_text_of_a_value_is_read_as_that_value() {
    for (form, text) in [
        (Form::Word(&["IGNORE", "ERROR"]), &b"ERROR"[..]),
        (Form::Number { min: 0, max: 9 }, b"7"),
        (Form::Text { bytes_max: 9 }, b"a text"),
    ] {
        let value = form.parse(text, b"").unwrap();
        assert_eq!(form.text_of(value), text);
    }
}

#[test]
fn what_is_as_by_default_takes_a_pointer_and_no_more() {
    assert_eq!(
        size_of::<Configured<StreamSettings>>(),
        size_of::<*const ()>()
    );
    let mut configured = Configured::<StreamSettings>::default();
    let told = StreamSettings {
        on_conflict: OnConflict::Error,
        ..StreamSettings::default()
    };
    assert!(configured.set(&told));
    assert!(!configured.set(&told));
    assert_eq!((configured.len(), configured.get()), (1, Some(&told)));
    assert!(configured.heap_bytes() > 0);
    assert!(configured.set(&StreamSettings::default()));
    assert!(configured.is_empty());
    assert_eq!(configured.heap_bytes(), 0);
}
