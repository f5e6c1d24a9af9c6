#!/nix/store/xy4jjgw87sbgwylm5kn047d9gkbhsr9x-bash-5.2p37/bin/bash
# Modelled on the activation script of a NixOS 25.05 system with sops-nix in its
# script mode (nixos/modules/system/activation/activation-script.nix, and
# modules/sops/default.nix of sops-nix): `sops.environment` set, a secret with
# neededForUsers.

systemConfig='@out@'

export PATH=/empty
for i in /nix/store/qr3r1g7b9h1xrd5lw6q4f1mgnpmcyy80-coreutils-9.6; do
    PATH=$PATH:$i/bin:$i/sbin
done

_status=0
trap "_status=1 _localstatus=\$?" ERR

# Ensure a consistent umask.
umask 0022

#### Activation script snippet setupSecretsForUsers:
_localstatus=0
( 
export SOPS_GPG_EXEC='/nix/store/5q1dvxzc3jlb1y9hq2kz2rrppw1zgcch-gnupg-2.4.7/bin/gpg'
export VAULT_AGENT_ADDR='unix:///run/gitops-sync/vault.sock'
[ -e /run/current-system ] || echo setting up secrets for users...
/nix/store/3yn2r3xhkzv5lw0x4mkqf4ybd5qzlb2c-sops-install-secrets-0.0.1/bin/sops-install-secrets -ignore-passwd /nix/store/9w0s2c3q6d0ib5xh5lzprlf4mp6vzq0k-manifest-for-users.json
)

if (( _localstatus > 0 )); then
  printf "Activation script snippet '%s' failed (%s)\n" "setupSecretsForUsers" "$_localstatus"
fi

#### Activation script snippet users:
_localstatus=0
echo sops-install-secrets is no call here

if (( _localstatus > 0 )); then
  printf "Activation script snippet '%s' failed (%s)\n" "users" "$_localstatus"
fi

#### Activation script snippet setupSecrets:
_localstatus=0
( 
export IT='it'\''s quoted'
export SOPS_AGE_SSH_PRIVATE_KEY_FILE='/etc/ssh/ssh_host_ed25519_key'
[ -e /run/current-system ] || echo setting up secrets...
/nix/store/3yn2r3xhkzv5lw0x4mkqf4ybd5qzlb2c-sops-install-secrets-0.0.1/bin/sops-install-secrets /nix/store/c8b3p1yl7ywrk8bbq4jsdv3bb9w3q4dn-manifest.json
)

if (( _localstatus > 0 )); then
  printf "Activation script snippet '%s' failed (%s)\n" "setupSecrets" "$_localstatus"
fi

# Make this configuration the current configuration.
ln -sfn "$(readlink -f "$systemConfig")" /run/current-system
exit $_status
