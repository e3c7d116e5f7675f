//! Changes of topics, and what is said in them.

use std::collections::VecDeque;

use posthouse_rooms::{Audience, Body, Copies, Letter, Limits, Outcome, Put, Recipient, Timestamp, Topic, TopicId};

use super::{Post, Trouble, identities::Task};

impl Post {
    /// Changes a topic and tells its members what follows. `change` may run twice.
    pub(crate) async fn change_topic<T: Send>(
        &self,
        topic: &TopicId,
        change: impl FnMut(&mut Topic, &Limits, Timestamp) -> Outcome<T, Vec<Copies>> + Send,
    ) -> Result<T, Trouble> {
        let mut tasks = VecDeque::new();
        let answer = self.change_topic_into(topic, change, &mut tasks).await;
        self.settle(tasks).await;
        answer
    }

    /// Looks at a topic as it is now.
    pub(crate) async fn look<T: Send>(
        &self,
        topic: &TopicId,
        mut look: impl FnMut(&Topic) -> T + Send,
    ) -> Result<T, Trouble> {
        self.store.apply_topic(topic, |topic| look(topic)).await.map_err(Trouble::Store)
    }

    /// Says something in a topic; `body` is made for so many members. Answers how many heard it or will: a member whose
    /// mailbox is full does not, and is nobody else's concern.
    pub(crate) async fn publish(
        &self,
        topic: &TopicId,
        from: &Recipient,
        whom: Audience<'_>,
        body: impl FnOnce(usize) -> Body + Send,
    ) -> Result<usize, Trouble> {
        let asked = self.store.apply_topic(topic, |topic| topic.audience(from, whom)).await;
        let audience = asked.map_err(Trouble::Store)?.map_err(Trouble::Refused)?;
        let body = body(audience.len());
        let (mut tasks, mut heard) = (VecDeque::new(), 0);
        for to in audience {
            let address = topic.address(&to.id);
            let letter = Letter::copy(body.clone(), to.incarnation);
            match self.put(&address, &letter, &mut tasks).await {
                Ok(Put::Nobody) => tasks.push_back(Task::Leave(address, to.incarnation, topic.clone())),
                Ok(Put::Delivered | Put::Kept) => heard += 1,
                Err(_) => self.counters.queue_overflows.add(),
            }
        }
        self.settle(tasks).await;
        self.counters.messages.add();
        Ok(heard)
    }

    pub(super) async fn change_topic_into<T: Send>(
        &self,
        topic: &TopicId,
        mut change: impl FnMut(&mut Topic, &Limits, Timestamp) -> Outcome<T, Vec<Copies>> + Send,
        tasks: &mut VecDeque<Task>,
    ) -> Result<T, Trouble> {
        let (limits, now) = (&*self.bounds.load_full(), self.clock.now());
        let kept = self.store.apply_topic(topic, |topic| change(topic, limits, now));
        let outcome = kept.await.map_err(Trouble::Store)?;
        for Copies { to, body } in outcome.effects {
            let letters = to
                .into_iter()
                .map(|one| Task::Put(topic.address(&one.id), Letter::copy(body.clone(), one.incarnation)));
            tasks.extend(letters);
        }
        outcome.answer.map_err(Trouble::Refused)
    }
}
