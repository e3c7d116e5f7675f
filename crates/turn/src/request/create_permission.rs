//! CreatePermission (RFC 8656 §10.2).

use std::net::IpAddr;

use posthouse_stun::attribute::{AttributeType, Family};

use super::Request;
use crate::auth::Caller;
use crate::{AllocationId, Refusal, Server};

impl Server {
    /// All peers or none: nothing is installed before every address has passed.
    pub(super) fn create_permission(&mut self, request: &Request<'_>, caller: &Caller<'_>) -> Result<(), Refusal> {
        let id = self.owned(request, caller)?;
        // 1. At least one XOR-PEER-ADDRESS, all of them well formed: 400. Their ports mean nothing here.
        let mut ips = request.message.xor_peer_addresses().map(|p| p.map(|p| p.ip())).collect::<Result<Vec<_>, _>>()?;
        if ips.is_empty() {
            return Err(Refusal::missing(AttributeType::XOR_PEER_ADDRESS));
        }
        // 2. Families: 443. 3. The policy: 403. 4. Room: 508.
        for &ip in &ips {
            self.check_peer(request, id, ip)?;
        }
        ips.sort_unstable();
        ips.dedup();
        self.install_permissions(request, id, &ips)?;
        self.succeed(&request.reply, Some(&caller.signer), |_| ());
        Ok(())
    }

    /// The family against the allocation, then the address against the policy.
    pub(super) fn check_peer(&self, request: &Request<'_>, id: AllocationId, ip: IpAddr) -> Result<(), Refusal> {
        if !self.table.get(id).is_some_and(|allocation| allocation.relayed.has(Family::of(ip))) {
            return Err(Refusal::PeerAddressFamilyMismatch);
        }
        request.settings.judge(ip)?;
        Ok(())
    }

    /// Installs or refreshes for five minutes (§9), for addresses that are sorted and have been checked.
    pub(super) fn install_permissions(
        &mut self,
        request: &Request<'_>,
        id: AllocationId,
        ips: &[IpAddr],
    ) -> Result<(), Refusal> {
        let now = request.now.instant;
        let allocation = self.table.get_mut(id).ok_or(Refusal::AllocationMismatch)?;
        if !allocation.permissions.has_room(now, ips, request.settings.max_permissions) {
            return Err(Refusal::InsufficientCapacity);
        }
        for &ip in ips {
            allocation.permissions.install(now, ip, request.settings.judge(ip)?);
        }
        Ok(())
    }
}
