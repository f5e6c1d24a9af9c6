# The program as one binary, or as a wrapper around Deno if nixpkgs has no runtime
# for a binary (deno.denort). Both do the same. build.sh has the steps and their
# reasons.
{
  lib,
  stdenvNoCC,
  makeWrapper,
  installShellFiles,
  nix-update-script,
  runCommand,
  versionCheckHook,
  deno,
  age,
  coreutils,
  gitMinimal,
  gnupg,
  openssh,
  sops,
  util-linux,
}:
let
  inherit (lib.importJSON ../deno.json) version;

  # The version in NixOS 25.05; docs/nixpkgs.md lists the tested ones.
  oldestDeno = "2.2";

  # Where releases are, for `homepage` and `changelog`: to be filled in with the
  # final address of the repository.
  address = null;

  packages = {
    inherit
      age
      coreutils
      gitMinimal
      gnupg
      openssh
      sops
      util-linux
      ;
  };

  # The only programs that it may run; tests/nix compares the list with what lib
  # runs. Programs of the package are named by their store path. nix, nixos-rebuild
  # and systemd are those of the host and must match it: Deno finds each on PATH
  # once, when it starts.
  mayRun = lib.mapAttrs (
    program: name:
    # On other systems it is part of the system.
    if
      name == null
      || (
        lib.elem program [
          "kill"
          "unshare"
        ]
        && !stdenvNoCC.hostPlatform.isLinux
      )
    then
      null
    else
      packages.${name}
  ) (lib.importJSON ./programs.json);

  runtimePrograms = lib.unique (lib.filter (package: package != null) (lib.attrValues mayRun));

  # As Deno gets them: a path, or only the name.
  programPaths = lib.mapAttrsToList (
    name: package: if package == null then name else lib.getExe' package name
  ) mayRun;

  programs = lib.concatStringsSep "," programPaths;

  canCompile = deno ? denort;

  # Only the packages' own files: everything else that Deno stores of a download
  # differs each time. tests/nix computes the hash again.
  dependencies = stdenvNoCC.mkDerivation {
    pname = "gitops-sync-dependencies";
    inherit version;
    src = lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.unions [
        ../deno.json
        ../lib/std
        ./build.sh
      ];
    };
    strictDeps = true;
    __structuredAttrs = true;
    nativeBuildInputs = [ deno ];
    impureEnvVars = lib.fetchers.proxyImpureEnvVars;
    dontConfigure = true;
    buildPhase = ''
      runHook preBuild
      HOME=$TMPDIR sh nix/build.sh packages packages
      runHook postBuild
    '';
    installPhase = ''
      runHook preInstall
      cp -r packages $out
      runHook postInstall
    '';
    dontFixup = true;
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
    outputHash = "sha256-pjtyoZ8tCB/KLQj1KjWFTUbMyOQzvqTLDfZT3CQZPXo=";
  };
in
lib.throwIfNot (lib.versionAtLeast deno.version oldestDeno)
  "gitops-sync needs Deno ${oldestDeno} or newer, and this nixpkgs has ${deno.version}: follow a newer nixpkgs (NixOS 25.05 or later), or override deno"
  (
    stdenvNoCC.mkDerivation (finalAttrs: {
      pname = "gitops-sync";
      inherit version;

      src = lib.fileset.toSource {
        root = ../.;
        fileset = lib.fileset.unions [
          ../deno.json
          ../gitops_sync.ts
          ../lib
          ./build.sh
          # For the manual and the guides.
          ./manual.ts
          ../docs
          ../README.md
          ../CHANGELOG.md
        ];
      };

      strictDeps = true;
      __structuredAttrs = true;

      nativeBuildInputs = [
        deno
        installShellFiles
        makeWrapper
      ];

      dontConfigure = true;
      buildPhase = ''
        runHook preBuild
        # Deno accepts a missing path in the list without a warning.
        for program in ${lib.concatStringsSep " " (lib.filter (lib.hasPrefix "/") programPaths)}; do
          [ -x "$program" ] || {
            echo "nix/programs.json names a package that has no $program" >&2
            exit 1
          }
        done
        export HOME=$TMPDIR
        sh nix/build.sh tree ${dependencies}
        ${lib.optionalString canCompile ''
          DENORT_BIN=${deno.denort}/bin/denort sh nix/build.sh compile ${programs} gitops-sync
        ''}
        for shell in bash zsh fish; do
          deno run $(sh nix/build.sh flags ${programs}) gitops_sync.ts completions $shell >completions.$shell
        done
        deno run $(sh nix/build.sh flags ${programs}) nix/manual.ts manual
        runHook postBuild
      '';

      installPhase = ''
        runHook preInstall
        ${
          if canCompile then
            ''
              install -D gitops-sync $out/libexec/gitops-sync
              makeWrapper $out/libexec/gitops-sync $out/bin/gitops-sync \
                --run ". ${./start.sh}" \
                --prefix PATH : ${lib.makeBinPath runtimePrograms}
            ''
          else
            ''
              mkdir -p $out/share/gitops-sync
              cp -r deno.json gitops_sync.ts lib npm $out/share/gitops-sync/
              makeWrapper ${lib.getExe deno} $out/bin/gitops-sync \
                --run ". ${./start.sh}" \
                --prefix PATH : ${lib.makeBinPath runtimePrograms} \
                --set DENO_NO_UPDATE_CHECK 1 \
                --add-flags "run $(sh nix/build.sh flags ${programs}) $out/share/gitops-sync/gitops_sync.ts"
            ''
        }
        installShellCompletion --cmd gitops-sync \
          --bash completions.bash --zsh completions.zsh --fish completions.fish
        installManPage manual/*
        # The same layout as in the repository, so that links between them work.
        mkdir -p $out/share/doc/gitops-sync
        cp -r README.md CHANGELOG.md docs $out/share/doc/gitops-sync/
        runHook postInstall
      '';

      # The program is appended to the runtime, and would be cut off.
      dontStrip = true;
      dontPatchELF = true;

      doInstallCheck = stdenvNoCC.buildPlatform.canExecute stdenvNoCC.hostPlatform;
      nativeInstallCheckInputs = [ versionCheckHook ];

      passthru = {
        inherit dependencies mayRun;
        # It renews the version and both hashes.
        updateScript = nix-update-script {
          extraArgs = [
            "--subpackage"
            "dependencies"
          ];
        };
        # What the hook above does not show: the program finds its own parts.
        tests.config = runCommand "gitops-sync-config" { nativeBuildInputs = [ finalAttrs.finalPackage ]; } ''
          echo 'repository: https://git.example.org/infra.git' >config.yaml
          # A folder for Deno's cache of the sources.
          export HOME=$TMPDIR
          gitops-sync config check --config=config.yaml >$out
        '';
      };

      meta =
        {
          description = "Pull-based GitOps for NixOS that leaves the host working";
          longDescription = ''
            Deploys a branch or tag of a Git repository to a NixOS host: fetches a
            revision, verifies it, proves that its secrets decrypt, builds it,
            activates it, and checks its health. An unhealthy system is rolled back
            to the previous one.
          '';
          license = lib.licenses.mit;
          mainProgram = "gitops-sync";
          maintainers = [ ];
          inherit (deno.meta) platforms;
        }
        // lib.optionalAttrs (address != null) {
          homepage = address;
          changelog = "${address}/blob/v${version}/CHANGELOG.md";
        };
    })
  )
