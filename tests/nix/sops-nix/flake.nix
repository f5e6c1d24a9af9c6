# A stand-in for sops-nix, for the flake of the template and for sops.vault: its
# options that are set there, what it refuses, and its unit, with the words of
# sops-nix (modules/sops/default.nix). The program that the unit starts says only
# that it ran.
{
  outputs = _: {
    nixosModules.sops =
      { config, lib, ... }:
      let
        inherit (lib) mkOption types;
        cfg = config.sops;
        optionOf = type: default: mkOption { inherit type default; };
        text = optionOf (types.nullOr types.str) null;
        paths = optionOf (types.listOf types.str) [ ];
        isInstalled = secret: !(secret.neededForUsers or false);
        hasUnit = cfg.useSystemdActivation && lib.any isInstalled (lib.attrValues cfg.secrets);
      in
      {
        options.sops = {
          age.keyFile = text;
          age.generateKey = optionOf types.bool false;
          age.sshKeyPaths = paths;
          gnupg.home = text;
          gnupg.sshKeyPaths = paths;
          secrets = optionOf (types.attrsOf types.anything) { };
          defaultSopsFile = optionOf types.anything null;
          environment = optionOf (types.attrsOf types.str) { };
          useSystemdActivation = optionOf types.bool false;
        };
        config = lib.mkMerge [
          (lib.mkIf (cfg.secrets != { }) {
            assertions = [
              {
                assertion =
                  cfg.gnupg.home != null
                  || cfg.gnupg.sshKeyPaths != [ ]
                  || cfg.age.keyFile != null
                  || cfg.age.sshKeyPaths != [ ];
                message = "No key source configured for sops. Either set services.openssh.enable or set sops.age.keyFile or sops.gnupg.home";
              }
            ];
          })
          (lib.mkIf hasUnit {
            systemd.services.sops-install-secrets = {
              wantedBy = [ "sysinit.target" ];
              after = [
                "local-fs.target"
                "systemd-sysusers.service"
                "userborn.service"
              ];
              requiredBy = [ "sysinit-reactivation.target" ];
              before = [ "sysinit-reactivation.target" ];
              inherit (cfg) environment;
              unitConfig.DefaultDependencies = "no";
              serviceConfig = {
                Type = "oneshot";
                ExecStart = [ "/bin/sh -c 'test ! -e /etc/refuse-secrets && mkdir -p /run/secrets'" ];
                RemainAfterExit = true;
              };
            };
          })
        ];
      };
  };
}
