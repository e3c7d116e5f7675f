//! Names of the model that dialects share: who, where, and in whose name space.

use std::{fmt, sync::Arc};

use crate::IdError;

/// Longest name of an identity or a topic, in bytes: Yjs names rooms by text, trackers by hashes.
const LONGEST: usize = 256;

/// A name space: one dialect, and in it one key. Identities and topics of two tenants never meet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// The name space `key` of a dialect; `""` where a dialect has only one.
    ///
    /// # Errors
    /// When the key is too long.
    pub fn new(dialect: &'static str, key: &str) -> Result<Self, IdError> {
        // A dialect's name has no slash, so that no key of one reads as a key of another.
        if key.len() > LONGEST { Err(IdError::TooLong) } else { Ok(Self(format!("{dialect}/{key}").into())) }
    }

    /// Whose name space it is.
    #[must_use]
    pub fn dialect(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(dialect, _)| dialect)
    }

    /// An identity in this name space: any text of 1 to 256 bytes.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn address(&self, id: &str) -> Result<Address, IdError> {
        Ok(Address { tenant: self.clone(), id: name(id)? })
    }

    /// A topic in this name space: any text of 1 to 256 bytes.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn topic(&self, topic: &str) -> Result<TopicId, IdError> {
        Ok(TopicId { tenant: self.clone(), name: name(topic)? })
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who: an [`Identity`](crate::Identity)'s public name in its tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// In whose name space.
    pub tenant: Tenant,
    /// The name by which others send to it.
    pub id: Arc<str>,
}

impl Address {
    /// Somebody else in the same name space, by a name that was parsed already.
    #[must_use]
    pub fn neighbour(&self, id: &Arc<str>) -> Self {
        Self { tenant: self.tenant.clone(), id: id.clone() }
    }
}

/// Where: a [`Topic`](crate::Topic)'s name in its tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId {
    /// In whose name space.
    pub tenant: Tenant,
    /// The name that those who meet there know.
    pub name: Arc<str>,
}

impl TopicId {
    /// Somebody in this topic.
    #[must_use]
    pub fn address(&self, id: &Arc<str>) -> Address {
        Address { tenant: self.tenant.clone(), id: id.clone() }
    }
}

fn name(text: &str) -> Result<Arc<str>, IdError> {
    match text.len() {
        0 => Err(IdError::Empty),
        n if n > LONGEST => Err(IdError::TooLong),
        _ => Ok(text.into()),
    }
}
