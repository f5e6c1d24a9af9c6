{
  # Copy the file that nixos-generate-config wrote on the host, then import it:
  # imports = [ ./myhost-hardware.nix ];

  networking.hostName = "myhost";

  services.gitops = {
    enable = true;
    repository = "https://git.example.org/infra.git";
    ref = "main";
    frequency = "5m";
    # For a private repository, one of:
    # tokenFile = "/etc/gitops-sync/token";
    # sshKeyFile = "/etc/ssh/ssh_host_ed25519_key";
  };

  sops.age.keyFile = "/etc/ssh/age.key";
  # When secrets/myhost.yaml exists (see README.md):
  # sops.secrets.password.sopsFile = ../secrets/myhost.yaml;

  # The release of NixOS that the host was installed with.
  system.stateVersion = "25.05";
}
