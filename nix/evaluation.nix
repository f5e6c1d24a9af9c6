# What evaluating a revision without the host's power needs of NixOS: a user
# without rights, whom the Nix daemon lets in. lib/nix/isolation.ts says what
# happens where that is not so.
{ config, lib, ... }:
let
  inherit (lib) mkIf mkOption types;

  cfg = config.services.gitops;

  # As in lib/nix/isolation.ts.
  user = "gitops-sync-eval";
in
{
  # A second declaration of the option that NixOS has: its default lets everyone
  # in, and a definition of ours would take the place of that. So the user is
  # added to what came out, where that lets in some alone.
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
