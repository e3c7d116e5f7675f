//! ConnectionBind (RFC 6062 §5.4).

use posthouse_stun::Method;
use posthouse_stun::attribute::AttributeType;

use super::Request;
use crate::auth::Caller;
use crate::connection::{ConnectionId, State};
use crate::refusal::BadRequest;
use crate::{Output, Refusal, Server};

impl Server {
    /// Makes the connection that this came on a client data connection.
    pub(super) fn connection_bind(&mut self, request: &Request<'_>, caller: &Caller<'_>) -> Result<(), Refusal> {
        let to = request.reply.to;
        // Over TCP or TLS, and on a connection of its own: a control connection stays one.
        if !to.transport.is_stream() || self.table.find(&to).is_some() {
            return Err(Refusal::BadRequest(BadRequest::NoDataConnection));
        }
        let kind = AttributeType::CONNECTION_ID;
        let id = ConnectionId(request.message.connection_id()?.ok_or(Refusal::missing(kind))?);
        let server = self.drawn_by(id);
        if server != self.mobility.server {
            // It is counted and answered there.
            self.stats.requests.connection_bind -= 1;
            self.outputs.push_back(Output::MoveClient { client: to, server });
            return Ok(());
        }
        let no_such = Refusal::BadRequest(BadRequest::NoSuchConnection);
        let at = *self.connections.get(&id).ok_or(no_such)?;
        let allocation = self.table.get_mut(at).ok_or(no_such)?;
        if &*allocation.username != caller.username {
            return Err(Refusal::WrongCredentials);
        }
        let connection = allocation.connections.as_deref_mut().and_then(|c| c.get_mut(id)).ok_or(no_such)?;
        let State::Unbound { .. } = connection.state else { return Err(no_such) };
        connection.state = State::Bound;
        self.stats.connections.bound += 1;
        self.reschedule(at);
        self.outputs.push_back(Output::JoinClient { id, client: to });
        self.succeed(&request.reply, Some(&caller.signer), |_| ());
        Ok(())
    }

    /// A credential that has expired still binds the connections of an allocation that it may refresh. What another
    /// server of the process has is judged there.
    pub(crate) fn may_bind_on(&self, request: &Request<'_>, username: &str) -> bool {
        if request.reply.method != Method::CONNECTION_BIND {
            return false;
        }
        let Ok(Some(id)) = request.message.connection_id() else { return false };
        let owner = self.connection_owner(ConnectionId(id)).filter(|a| &*a.username == username);
        self.drawn_by(ConnectionId(id)) != self.mobility.server
            || owner.is_some_and(|a| request.settings.may_go_on(request.now, a))
    }
}
