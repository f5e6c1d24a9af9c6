{
  description = "Pull-based GitOps for NixOS";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      linux = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      # Only the command-line tool: there is no NixOS to deploy to.
      darwin = [ "aarch64-darwin" ];
      for = systems: make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      everywhere = for (linux ++ darwin);

      packageOf =
        pkgs:
        let
          inherit (pkgs.stdenv.hostPlatform) system;
        in
        (self.packages.${system} or (throw ''
          gitops-sync has no package for ${system}, only for ${lib.concatStringsSep ", " (linux ++ darwin)}.
          To build one anyway, write:
            services.gitops.package = pkgs.callPackage "''${gitops}/nix/package.nix" { };
          where gitops is the input that names this flake.'')).gitops-sync;

      gitops = {
        _class = "nixos";
        _file = "${toString ./flake.nix}#nixosModules.gitops";
        # One module, whichever name imports it.
        key = "gitops-sync";
        imports = [
          ./module.nix
          ./vault.nix
          (
            { lib, pkgs, ... }:
            {
              services.gitops.package = lib.mkDefault (packageOf pkgs);
            }
          )
        ];
      };

      # The units of a host with only the required settings.
      unitsOf =
        pkgs:
        let
          host = lib.nixosSystem {
            inherit (pkgs.stdenv.hostPlatform) system;
            modules = [
              gitops
              {
                services.gitops = {
                  enable = true;
                  repository = "https://git.example.org/infra.git";
                };
              }
            ];
          };
          units = host.config.systemd.units;
        in
        pkgs.runCommand "gitops-sync-units" { } ''
          mkdir $out
          cp ${units."gitops-sync.service".unit}/gitops-sync.service $out/
          cp ${units."gitops-sync.timer".unit}/gitops-sync.timer $out/
          cp ${host.config.environment.etc."gitops-sync/config.yaml".source} $out/config.yaml
        '';
    in
    {
      packages = everywhere (pkgs: rec {
        gitops-sync = pkgs.callPackage ./nix/package.nix { };
        default = gitops-sync;
      });

      apps = everywhere (pkgs: rec {
        gitops-sync = {
          type = "app";
          program = lib.getExe (packageOf pkgs);
          meta = { inherit ((packageOf pkgs).meta) description; };
        };
        default = gitops-sync;
      });

      overlays.default = final: _: {
        gitops-sync = final.callPackage ./nix/package.nix { };
      };

      nixosModules = {
        inherit gitops;
        default = gitops;
      };

      devShells = everywhere (pkgs: {
        default = pkgs.mkShell {
          packages =
            [
              pkgs.age
              pkgs.deno
              pkgs.fish
              pkgs.git
              pkgs.gnupg
              pkgs.openssh
              pkgs.python3
              pkgs.sops
              pkgs.tmux
              pkgs.zsh
            ]
            ++ lib.optionals pkgs.stdenv.hostPlatform.isLinux [
              pkgs.debootstrap
              pkgs.iproute2
              pkgs.procps
              pkgs.strace
              pkgs.util-linux
            ];
        };
      });

      checks = for linux (pkgs: {
        package = packageOf pkgs;
        package-config = (packageOf pkgs).tests.config;
        units = unitsOf pkgs;
      });

      formatter = everywhere (pkgs: pkgs.nixfmt-tree);

      templates.github = {
        path = ./templates/github;
        description = "Workflows of GitHub for hosts that follow a repository";
      };

      templates.gitlab = {
        path = ./templates/gitlab;
        description = "A pipeline of GitLab for hosts that follow a repository";
      };

      templates.forgejo = {
        path = ./templates/forgejo;
        description = "Workflows of Forgejo for hosts that follow a repository";
      };

      templates.default = {
        path = ./templates/host;
        description = "A repository that NixOS hosts follow with gitops-sync";
        welcomeText = ''
          # Hosts that follow this repository

          Read README.md for the next steps.
        '';
      };
    };
}
