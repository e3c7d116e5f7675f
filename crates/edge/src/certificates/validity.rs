//! From when until when a certificate is good (RFC 5280 §4.1.2.5).

use std::fmt;
use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::{DateTime, Decode as _};

const DAY: i64 = 24 * 3600;

/// Both ends belong to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    begin: DateTime,
    end: DateTime,
}

impl Validity {
    /// Reason, and what to do, when the certificate cannot be read.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<Self, (String, String)> {
        let unread =
            |error| (format!("holds what is no certificate ({error})"), "copy the file again as it was issued".into());
        let certificate = CertificateInner::<Raw>::from_der(certificate).map_err(unread)?;
        let validity = certificate.tbs_certificate().validity();
        Ok(Self { begin: validity.not_before.to_date_time(), end: validity.not_after.to_date_time() })
    }

    pub(super) fn has_begun(self, now: Duration) -> bool {
        now >= self.begin.unix_duration()
    }

    pub(super) fn has_ended(self, now: Duration) -> bool {
        now > self.end.unix_duration()
    }

    /// Whole days, rounded down: in its last day a certificate has 0, after it less.
    pub(super) fn days_left(self, now: Duration) -> i64 {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        (seconds(self.end.unix_duration()) - seconds(now)).div_euclid(DAY)
    }

    pub(super) fn begin(self) -> impl fmt::Display {
        self.begin
    }

    pub(super) fn end(self) -> impl fmt::Display {
        self.end
    }
}

/// Since the beginning of 1970, which is where certificates begin to count as well.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_go_below_zero_when_it_is_over() {
        let at = |seconds| DateTime::from_unix_duration(Duration::from_secs(seconds)).unwrap();
        let day = DAY.cast_unsigned();
        let validity = Validity { begin: at(day), end: at(10 * day) };
        let left = |seconds| validity.days_left(Duration::from_secs(seconds));
        assert_eq!([left(0), left(9 * day), left(9 * day + 1), left(10 * day)], [10, 1, 0, 0]);
        assert_eq!([left(10 * day + 1), left(11 * day + 1)], [-1, -2]);
    }

    #[test]
    fn both_ends_belong_to_it() {
        let at = |seconds| DateTime::from_unix_duration(Duration::from_secs(seconds)).unwrap();
        let validity = Validity { begin: at(100), end: at(200) };
        let now = Duration::from_secs;
        assert!(!validity.has_begun(now(99)) && validity.has_begun(now(100)));
        assert!(!validity.has_ended(now(200)) && validity.has_ended(now(201)));
    }

    #[test]
    fn what_is_no_certificate_has_none() {
        let (reason, _) = Validity::of(&CertificateDer::from(vec![0x30, 0x03, 1, 2, 3])).unwrap_err();
        assert!(reason.starts_with("holds what is no certificate"), "{reason}");
    }
}
