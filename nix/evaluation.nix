# What isolated evaluation needs from NixOS: a user without rights, whom the Nix
# daemon accepts. lib/nix/isolation.ts says what happens without it.
{ config, lib, ... }:
let
  inherit (lib) mkIf mkOption types;

  cfg = config.services.gitops;

  # The same as in lib/nix/isolation.ts.
  user = "gitops-sync-eval";
in
{
  # A second declaration of the NixOS option. Its default accepts every user, and a
  # definition here would replace that. So the user is added to the final value, if
  # that accepts only some users.
  options.nix.settings = mkOption {
    type = types.submodule {
      options.allowed-users = mkOption {
        apply =
          users: if cfg.enable && !builtins.elem "*" users then lib.unique (users ++ [ user ]) else users;
      };
    };
  };

  config = mkIf cfg.enable {
    users.users.${user} = {
      isSystemUser = true;
      group = user;
      description = "evaluates what gitops-sync deploys";
    };
    users.groups.${user} = { };
  };
}
