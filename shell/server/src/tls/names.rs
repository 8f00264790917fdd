//! Who a client is by its certificate.

use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{self, Decode, Reader, SliceReader, Tag, Tagged};

/// What names the common name among the attributes of a subject: 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The first common name of a certificate's subject, as it is written there; none if there is none,
/// or if it is not in one of the forms whose bytes are the text.
pub(super) fn common_name(certificate: &[u8]) -> Option<Vec<u8>> {
    let subject = subject(certificate).ok()?;
    common_name_of(subject.value()).ok().flatten()
}

/// The subject: behind version (which may be left out), number, algorithm, issuer and validity.
fn subject(certificate: &[u8]) -> der::Result<AnyRef<'_>> {
    let certificate = AnyRef::from_der(certificate)?;
    let signed: AnyRef<'_> = SliceReader::new(certificate.value())?.decode()?;
    let mut fields = SliceReader::new(signed.value())?;
    let first: AnyRef<'_> = fields.decode()?;
    let before = match first.tag() {
        Tag::Integer => 3,
        _ => 4,
    };
    for _ in 0..before {
        fields.decode::<AnyRef<'_>>()?;
    }
    fields.decode()
}

/// A subject is a list of sets of pairs.
fn common_name_of(subject: &[u8]) -> der::Result<Option<Vec<u8>>> {
    let mut sets = SliceReader::new(subject)?;
    while !sets.is_finished() {
        let set: AnyRef<'_> = sets.decode()?;
        let mut pairs = SliceReader::new(set.value())?;
        while !pairs.is_finished() {
            let pair: AnyRef<'_> = pairs.decode()?;
            let mut pair = SliceReader::new(pair.value())?;
            let (attribute, value): (AnyRef<'_>, AnyRef<'_>) = (pair.decode()?, pair.decode()?);
            if attribute.tag() == Tag::ObjectIdentifier && attribute.value() == COMMON_NAME {
                let is_text = matches!(
                    value.tag(),
                    Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::TeletexString
                );
                return Ok(is_text.then(|| value.value().to_vec()));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair};

    use super::*;

    fn certificate(names: &[(DnType, DnValue)]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in names {
            params.distinguished_name.push(kind.clone(), value.clone());
        }
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_common_name_is_found_among_others_and_may_be_missing() {
        let text = |text: &str| DnValue::Utf8String(text.to_owned());
        let organisation = (DnType::OrganizationName, text("weir"));
        let wide = DnValue::BmpString("alice".try_into().unwrap());
        for (names, wanted) in [
            (vec![(DnType::CommonName, text("alice"))], Some("alice")),
            (
                vec![organisation.clone(), (DnType::CommonName, text("bob é"))],
                Some("bob é"),
            ),
            (
                vec![(
                    DnType::CommonName,
                    DnValue::PrintableString("eve".try_into().unwrap()),
                )],
                Some("eve"),
            ),
            (vec![organisation], None),
            (vec![(DnType::CommonName, wide)], None),
            (vec![], None),
        ] {
            let found = common_name(&certificate(&names));
            assert_eq!(found.as_deref(), wanted.map(str::as_bytes), "{names:?}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_certificate_harms_nobody(at in any::<prop::sample::Index>(), to: u8, len in any::<prop::sample::Index>()) {
            let mut made = certificate(&[(DnType::CommonName, DnValue::Utf8String("x".to_owned()))]);
            let at = at.index(made.len());
            made[at] = to;
            let _ = common_name(&made);
            made.truncate(len.index(made.len()));
            let _ = common_name(&made);
        }
    }
}
