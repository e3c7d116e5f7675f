//! ChannelBind (RFC 8656 §12.2).

use posthouse_stun::ChannelNumber;
use posthouse_stun::attribute::AttributeType;

use super::Request;
use crate::auth::Caller;
use crate::channel::Conflict;
use crate::refusal::BadRequest;
use crate::{Denied, Output, Refusal, Server};

impl Server {
    pub(super) fn channel_bind(&mut self, request: &Request<'_>, caller: &Caller<'_>) -> Result<(), Refusal> {
        let id = self.owned(request, caller)?;
        if self.table.get(id).is_some_and(|allocation| allocation.connections.is_some()) {
            return Err(Refusal::WrongRelayedTransport);
        }
        // 1. Both attributes, well formed. 2. The number in 0x4000 to 0x4FFF. A port of 0 cannot be sent to.
        let kind = AttributeType::CHANNEL_NUMBER;
        let number = request.message.channel_number()?.ok_or(Refusal::missing(kind))?;
        let number = ChannelNumber::new(number).ok_or(Refusal::malformed(kind))?;
        let kind = AttributeType::XOR_PEER_ADDRESS;
        let peer = request.message.xor_peer_address()?.ok_or(Refusal::missing(kind))?;
        if peer.port() == 0 {
            return Err(Refusal::malformed(kind));
        }
        // 3. 443 and 403; on this machine the port decides.
        self.check_peer(request, id, peer.ip())?;
        let kind = request.settings.judge(peer.ip())?;
        let route = request.settings.route(kind, peer.port()).ok_or(Denied::OwnPort)?;
        // 4. Neither number nor peer bound elsewhere now. 5. Room for both.
        let now = request.now.instant;
        self.remove_channels(id, |channel| now >= channel.expires);
        let max = request.settings.max_channels;
        let allocation = self.table.get_mut(id).ok_or(Refusal::AllocationMismatch)?;
        if !allocation.permissions.has_room(now, &[peer.ip()], request.settings.max_permissions) {
            return Err(Refusal::InsufficientCapacity);
        }
        allocation.channels.bind(now, number, peer, route, max).map_err(|conflict| match conflict {
            Conflict::Taken => Refusal::BadRequest(BadRequest::ChannelTaken),
            Conflict::Full => Refusal::InsufficientCapacity,
        })?;
        // 6. The binding installs or refreshes the permission (§9).
        allocation.permissions.install(now, peer.ip(), kind);
        if let Some(binding) = allocation.channels.get(now, number).and_then(|c| allocation.binding(id, c)) {
            self.outputs.push_back(Output::BindingInstalled(binding));
        }
        self.reschedule(id);
        self.succeed(&request.reply, Some(&caller.signer), |_| ());
        Ok(())
    }
}
