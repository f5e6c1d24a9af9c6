/**
 * What a machine needs to evaluate revisions without its own power: build users
 * and the user that evaluates, as the module makes them on NixOS.
 *
 * @module
 */
import type { Machine } from "./machine.ts";

const users = `
set -eu
echo nixbld:x:30000:nixbld1,nixbld2,nixbld3,nixbld4 >>/etc/group
for i in 1 2 3 4; do
  echo "nixbld$i:x:3000$i:30000::/var/empty:/usr/sbin/nologin" >>/etc/passwd
done
echo gitops-sync-eval:x:991: >>/etc/group
echo gitops-sync-eval:x:991:991::/var/empty:/usr/sbin/nologin >>/etc/passwd
sed -i 's/^build-users-group.*/build-users-group = nixbld/' /etc/nix/nix.conf
systemctl stop nix-daemon.service
systemctl restart nix-daemon.socket
# The daemon makes the store with the owner that its users need.
NIX_REMOTE=daemon nix store ping 2>/dev/null || NIX_REMOTE=daemon nix ping-store
`;

/** Gives the Nix daemon of a machine build users, and makes who evaluates. */
export async function letIsolate(machine: Machine): Promise<void> {
  await machine.output(["sh", "-c", users]);
}
