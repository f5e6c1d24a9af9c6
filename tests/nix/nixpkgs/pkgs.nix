system: self:
let
  lib = import ./lib;
  tools = builtins.fromJSON (builtins.readFile ./tools.json);

  derive =
    name: attributes:
    derivation (
      {
        inherit name system;
        builder = "/bin/bash";
        args = [
          "-eu"
          ./builder.sh
        ];
        # Builds are not in a sandbox here.
        PATH = "/usr/bin:/bin:/usr/sbin";
      }
      // attributes
    );

  # A package whose programs are those of the machine.
  package =
    name: programs:
    derive name {
      links = map (program: "${program}=${tools.programs.${program}}") programs;
      buildPhase = ''
        mkdir -p $out/bin
        for link in $links; do ln -s "''${link#*=}" "$out/bin/''${link%%=*}"; done
      '';
    }
    // {
      meta.mainProgram = builtins.head programs;
    };

  script =
    name: text:
    derive name {
      inherit text;
      passAsFile = [ "text" ];
      buildPhase = ''
        mkdir -p $out/bin
        cp $textPath $out/bin/${name}
        chmod +x $out/bin/${name}
      '';
    }
    // {
      meta.mainProgram = name;
    };

  platform = {
    inherit system;
    isLinux = lib.hasSuffix "-linux" system;
    isDarwin = lib.hasSuffix "-darwin" system;
    canExecute = _: true;
  };
in
{
  inherit lib system;

  callPackage =
    path: given:
    let
      make = import path;
    in
    make (builtins.intersectAttrs (builtins.functionArgs make) self // given);

  stdenv = {
    hostPlatform = platform;
    buildPlatform = platform;
  };

  stdenvNoCC = self.stdenv // {
    # Takes attributes, or a function from the finished ones to them.
    mkDerivation =
      given:
      let
        attributes = if builtins.isFunction given then given finalAttrs else given;
        finalAttrs = attributes // {
          finalPackage = made;
        };
        name = attributes.name or "${attributes.pname}-${attributes.version}";
        inputs =
          attributes.nativeBuildInputs or [ ]
          ++ lib.optionals (attributes.doInstallCheck or false) (attributes.nativeInstallCheckInputs or [ ]);
        made =
          derive name (
            removeAttrs attributes [
              "meta"
              "passthru"
            ]
            // {
              PATH = "${builtins.concatStringsSep ":" (map (input: "${input}/bin") inputs)}:/usr/bin:/bin";
            }
          )
          // attributes.passthru or { }
          // {
            inherit name;
            meta = attributes.meta or { };
          };
      in
      made;
  };

  runCommand =
    name: attributes: text:
    derive name (
      attributes
      // {
        PATH = "${
          builtins.concatStringsSep "" (map (input: "${input}/bin:") (attributes.nativeBuildInputs or [ ]))
        }/usr/bin:/bin";
        inherit text;
        passAsFile = [ "text" ] ++ attributes.passAsFile or [ ];
        buildPhase = ''. "$textPath"'';
      }
    );

  mkShell =
    { packages }:
    derive "shell" {
      inherit packages;
      buildPhase = ''echo "$packages" >$out'';
    };

  formats.json = _: {
    type = lib.types.json;
    generate =
      name: value: builtins.toFile name (builtins.unsafeDiscardStringContext (builtins.toJSON value));
  };

  # Functions of the builder, as there.
  makeWrapper = package "make-wrapper" [ "true" ];
  installShellFiles = package "install-shell-files" [ "true" ];
  versionCheckHook = package "version-check-hook" [ "true" ];

  # What renews a package; here it can only be looked at.
  nix-update-script = { extraArgs }: [ "nix-update" ] ++ extraArgs;

  # What is fetched comes from what was fetched before; all else has a folder of
  # its own, as in a build without network.
  deno =
    script "deno" ''
      #!/bin/sh
      if [ "''${1-}" = install ]; then export DENO_DIR=${tools.denoDir}; fi
      exec ${tools.programs.deno} "$@"
    ''
    // {
      version = tools.denoVersion;
      meta = {
        mainProgram = "deno";
        platforms = [
          "x86_64-linux"
          "aarch64-linux"
          "x86_64-darwin"
          "aarch64-darwin"
        ];
      };
    }
    // lib.optionalAttrs tools.denort {
      denort = package "denort" [ "denort" ];
    };

  apprise = package "apprise" [ "true" ];
  age = package "age" [
    "age"
    "age-keygen"
  ];
  coreutils = package "coreutils" [
    "cat"
    "cp"
    "head"
    "ln"
    "ls"
    "mkdir"
    "mv"
    "readlink"
    "rm"
    "stat"
    "tee"
  ];
  debootstrap = package "debootstrap" [ "true" ];
  findutils = package "findutils" [ "find" ];
  fish = package "fish" [ "true" ];
  git = package "git" [ "git" ];
  gitMinimal = package "git-minimal" [ "git" ];
  gnugrep = package "gnugrep" [ "grep" ];
  gnupg = package "gnupg" [
    "gpg"
    "gpgconf"
  ];
  gnused = package "gnused" [ "sed" ];
  iproute2 = package "iproute2" [ "true" ];
  nix = package "nix" [
    "nix"
    "nix-env"
    "nix-instantiate"
    "nix-store"
  ];
  nixfmt-tree = package "nixfmt-tree" [ "true" ];
  nixos-rebuild = package "nixos-rebuild" [ "nixos-rebuild" ];
  openssh = package "openssh" [
    "ssh"
    "ssh-keygen"
  ];
  procps = package "procps" [ "true" ];
  python3 = package "python3" [ "true" ];
  sops = package "sops" [ "sops" ];
  # The time zones of the machine.
  tzdata = derive "tzdata" {
    buildPhase = "mkdir -p $out/share; ln -s /usr/share/zoneinfo $out/share/zoneinfo";
  };
  strace = package "strace" [ "true" ];
  systemd = package "systemd" [
    "systemd-analyze"
    "systemctl"
    "systemd-notify"
    "systemd-run"
    "journalctl"
    "loginctl"
  ];
  tmux = package "tmux" [ "true" ];
  util-linux = package "util-linux" [
    "kill"
    "logger"
    "unshare"
  ];
  zsh = package "zsh" [ "true" ];
}
