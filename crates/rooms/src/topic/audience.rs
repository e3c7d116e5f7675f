//! `publish`: who hears what is said in a topic.

use super::{Recipient, Topic};
use crate::Refusal;

/// To whom something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience<'a> {
    /// All members.
    All,
    /// All members but the one who says it.
    Others,
    /// One member, who is in the same topic.
    One(&'a str),
}

impl Topic {
    /// Those who hear what `from` says. `from` need not be a member to speak to all ([`Audience::All`]); a dialect that
    /// wants it to be says something else, for membership is asked then.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`] when the speaker, or the one who is spoken to, is not a member.
    pub fn audience(&self, from: &Recipient, whom: Audience<'_>) -> Result<Vec<Recipient>, Refusal> {
        let is_member = self.members.get(&from.id).is_some_and(|member| member.incarnation == from.incarnation);
        match whom {
            Audience::All => Ok(self.all_but("")),
            _ if !is_member => Err(Refusal::UnknownClient),
            Audience::Others => Ok(self.all_but(&from.id)),
            Audience::One(id) => {
                let (id, member) = self.members.get_key_value(id).ok_or(Refusal::UnknownClient)?;
                Ok(vec![Recipient { id: id.clone(), incarnation: member.incarnation }])
            }
        }
    }
}
