#!/bin/sh
# The story of the demo. demo.sh runs it in a world of its own, whose folder is
# the only argument.
set -eu

here=$(cd -- "$(dirname -- "$0")" && pwd -P)
# shellcheck source=tests/demo/show.sh
. "$here/show.sh"
world=$1

# Nobody's Git settings, and no name that Git would have to ask for.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.org
export GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.org

# The hosts' definition; see tests/system/flake.nix for what the keys mean.
write_host() { # GREETING WEB-COMMAND BUILD-SNIPPET
	cat >host.json <<-END
		{
		  "hosts": ["demo"],
		  "system": "$(uname -m)-linux",
		  "greeting": "$1",
		  "secrets": ["secrets.yaml#database-password"],
		  "manifest": "script",
		  "services": { "web": "$2" },
		  "dependencies": { "kernel": "sleep 0.4", "web-server": "sleep 0.4" },
		  "build": "$3"
		}
	END
}

# What of this host must not change unless it should.
running() { readlink -f /run/current-system || true; }
boot_default() { readlink -f /nix/var/nix/profiles/system || true; }
boot_entry() {
	sed -n 's|^options init=\(.*\)/init .*|\1|p' \
		"/boot/loader/entries/$(sed -n 's/^default //p' /boot/loader/loader.conf)"
}

remember_host() { before=$(running); }

host_is_new() {
	[ "$(running)" != "$before" ] || wrong 'another system runs' "not $before" "$(running)"
	fact 'the new system runs' "$(git rev-parse HEAD)" "$(cat /run/current-system/configuration-revision)"
	fact 'a reboot would start it too' "$(running) $(running)" "$(boot_default) $(boot_entry)"
}

host_is_as_before() {
	fact 'the host runs what it ran before' "$before" "$(running)"
	fact 'a reboot would start that too' "$before $before" "$(boot_default) $(boot_entry)"
}

tell "${bold}gitops-sync, on real parts${plain}: git, Nix, age and sops." '' \
	'The host is a stand-in: in a private mount namespace /nix, /run, /boot, /etc/ssh,' \
	"/etc/gitops-sync and /var/lib/gitops-sync are folders of $world." \
	'Nothing else on this machine is changed.'
mkdir "$world/desk"
cd "$world/desk"

heading 'A host gets a key, and says what it follows'
run 'age-keygen -o /etc/ssh/age.key'
recipient=$(age-keygen -y /etc/ssh/age.key)
cat >/etc/gitops-sync/config.yaml <<-END
	repository: file://$world/infra.git
	ref: main
	host: demo
	secrets:
	  identities: [/etc/ssh/age.key]
END
run 'cat /etc/gitops-sync/config.yaml'

heading 'A repository with a flake, and a secret encrypted for that host'
git init --quiet --bare --initial-branch=main "$world/infra.git"
git clone --quiet "$world/infra.git" infra 2>/dev/null
cd infra
git checkout --quiet -B main
cp "$here"/../system/* .
write_host hello true ''
printf 'creation_rules:\n  - age: %s\n' "$recipient" >.sops.yaml
echo 'database-password: correct horse battery staple' >secrets.yaml
run 'cat .sops.yaml secrets.yaml'
run 'sops encrypt --in-place secrets.yaml'
run 'head -n 1 secrets.yaml | cut -c 1-76'
run 'git add . && git commit --quiet -m "The first system" && git push --quiet origin main'

heading 'The first sync'
remember_host
run 'gitops-sync sync'
host_is_new
run 'ls -l /run/secrets/'
run 'cat /run/secrets/database-password; echo'
fact 'the activated system has the secret' 'correct horse battery staple' "$(cat /run/secrets/database-password)"

heading 'Again: there is nothing to do'
remember_host
run 'gitops-sync sync'
host_is_as_before

heading 'A change is pushed'
write_host 'hello again' true ''
show_change
run 'git commit --quiet -am "Greet again" && git push --quiet'
remember_host
run 'gitops-sync sync'
host_is_new
run 'cat /run/current-system/etc/greeting'
fact 'the change is there' 'hello again' "$(cat /run/current-system/etc/greeting)"

heading 'A system that does not build is pushed'
write_host 'hello again' true 'echo compiling; echo main.c:7: no such function: greet; exit 1'
show_change
run 'git commit --quiet -am "Greet from C" && git push --quiet'
remember_host
run 'gitops-sync sync' 6
host_is_as_before

heading 'A system whose service fails is pushed'
write_host 'hello again' 'echo web: port 80 is taken; exit 1' ''
show_change
run 'git commit --quiet -am "A new web server" && git push --quiet'
remember_host
run 'gitops-sync sync' 7
host_is_as_before
tell '' 'That revision is not tried again until the branch moves or someone says retry:'
run 'gitops-sync sync' 9
host_is_as_before

heading 'A secret is damaged and pushed'
write_host 'hello again' true ''
sed -i '1s/data:./data:#/' secrets.yaml
show_change
run 'git commit --quiet -am "Touch the secret" && git push --quiet'
remember_host
builds=$(ls /nix/store)
run 'gitops-sync sync' 5
host_is_as_before
fact 'nothing was built' "$builds" "$(ls /nix/store)"

heading 'The mended one is pushed'
git checkout --quiet HEAD^ -- secrets.yaml
write_host 'hello, all is well' true ''
show_change HEAD
run 'git commit --quiet -am "Mend the secret" && git push --quiet'
remember_host
run 'gitops-sync sync'
host_is_new
fact 'the secret is still there' 'correct horse battery staple' "$(cat /run/secrets/database-password)"

heading 'What runs, and how it came to be'
run 'gitops-sync status'
run 'gitops-sync history'

tell '' "${green}All of it was so.${plain}"
