# SPDX-License-Identifier: Apache-2.0
# Runs inside the virtual machine (run.py): the packet tables of the programs, then a lab of two hosts
# whose substrate is clsact's, because this kernel has no tcx.  Says "ok WHAT" or "not ok WHAT".
# requirement: NEG-1 NEG-3 PKT-2 PKT-3 OPS-3

check() {
	what=$1
	shift
	if "$@" >/tmp/out 2>&1; then
		echo "ok $what"
	else
		failed=1
		echo "not ok $what"
		sed 's/^/# /' /tmp/out | tail -n 40
		return 1
	fi
}

ec2() {
	curl -sS --fail-with-body --aws-sigv4 aws:amz:us-east-1:ec2 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		--data-urlencode Version=2016-11-15 "$@" "$ENDPOINT/"
}

field() { sed -n "s:.*<$1>\([^<]*\)</$1>.*:\1:p" | head -n 1; }

# Waits up to 60 s for a command to succeed.
eventually() {
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 300 ] || return 1
		sleep 0.2
	done
}

for table in bpf/*; do
	check "packet tables: ${table#bpf/}" ./"$table"
done

check "lab of two hosts" viaduct lab up --hosts 2 --name vm || exit
eval "$(viaduct lab env --name vm)"
ENDPOINT=${VIADUCT_ENDPOINT:-http://127.0.0.1:8773}

clsact_reported() { viaduct --lab vm capabilities --json | tr -d ' \n' | grep -q '"tcx":false'; }
check "capabilities say that there is no tcx" clsact_reported

vpc=$(ec2 -d Action=CreateVpc -d CidrBlock=10.0.0.0/16 | field vpcId)
one=$(ec2 -d Action=CreateSubnet -d VpcId="$vpc" -d CidrBlock=10.0.1.0/24 | field subnetId)
two=$(ec2 -d Action=CreateSubnet -d VpcId="$vpc" -d CidrBlock=10.0.2.0/24 | field subnetId)
# A host that was short of time may have been given up for a moment: until there is one, and for the members of the
# group until it is another than the group's first has.
try_start() { ec2 -d Action=RunInstances -d ImageId=ami-netns -d MinCount=1 -d MaxCount=1 -d SubnetId="$1" \
	-d PrivateIpAddress="$2" ${3:+-d Placement.GroupName="$3"} | field instanceId | grep . >/tmp/started; }
start() { eventually try_start "$@" && cat /tmp/started; }
apart() { ec2 -d Action=CreatePlacementGroup -d GroupName=apart -d Strategy=spread -d SpreadLevel=host; }
check "a group whose members have a host each" apart
a=$(start "$one" 10.0.1.10 apart)
b=$(start "$one" 10.0.1.11 apart)
c=$(start "$two" 10.0.2.10)
node() { instance=$1; shift; viaduct lab exec --name vm "$instance" -- "$@"; }
has_address() { node "$1" ip addr show eth0 | grep -q "inet $2/"; }
check "DHCP" eventually has_address "$a" 10.0.1.10
check "DHCP on the second" eventually has_address "$b" 10.0.1.11
check "DHCP in the other subnet" eventually has_address "$c" 10.0.2.10
check "ping across hosts" node "$a" ping -c 3 -W 5 10.0.1.11
check "ping across subnets" node "$a" ping -c 3 -W 5 10.0.2.10
check "ping with the largest packet" node "$a" ping -c 2 -W 5 -s 1432 10.0.1.11

mkdir -p /tmp/www
head -c 20000000 /dev/urandom >/tmp/www/data
transfer() {
	node "$b" httpd -p 5000 -h /tmp/www
	eventually listening || return 1
	node "$a" wget -q -O /tmp/got http://10.0.1.11:5000/data && cmp /tmp/www/data /tmp/got
}
listening() { node "$b" netstat -ltn | grep -q ':5000 '; }
check "20 MB by TCP across hosts, unchanged" transfer

without_agent() {
	node "$a" ping -i 0.5 -c 100 10.0.1.11 >/tmp/pings &
	kill -9 "$(pgrep -f "viaduct-agent run.* --name vm-h1 ")" && node "$a" ping -c 3 -W 5 10.0.1.11 &&
		viaduct lab restart h1 --name vm || return 1
	wait $!
	grep -q '100 packets received' /tmp/pings
}
check "an agent killed and started again, and no packet lost" without_agent

# geneve, whose device this kernel has, by a policy: first one version, then the other.  run.py has what is on the wire
# read by tshark.
geneve_reported() { viaduct --lab vm capabilities | grep -q '^h2 .*geneve/1,geneve/2'; }
check "capabilities say that there is geneve" geneve_reported
echo root:x:0:0::/root:/bin/sh >/etc/passwd # tcpdump asks for its user
echo root:x:0: >/etc/group
pin() {
	echo "{\"name\": \"tunnel\", \"match\": {}, \"effect\": \"pin\", \"what\": [\"$1\"]}" >/tmp/policy.json
	viaduct --lab vm policy delete tunnel >/tmp/deleted 2>&1
	viaduct --lab vm policy create --file /tmp/policy.json
}
both_send() { [ "$(viaduct --lab vm pair h1 h2 --json | tr -d ' \n' | grep -o "\"send\":\"$1\"" | wc -l)" = 2 ]; }
counted() { [ "$(tcpdump -Z root -r "$1" 2>/tmp/read | wc -l)" -ge "$2" ]; }
head -c 200000 /tmp/www/data >/tmp/www/part
part() { node "$a" wget -q -O /tmp/got http://10.0.1.11:5000/part && cmp /tmp/www/part /tmp/got; }
for version in 1 2; do
	capture=/tmp/geneve-$version.pcap
	check "a policy for geneve/$version" pin geneve/$version
	check "geneve/$version is chosen" eventually both_send geneve/$version
	viaduct lab exec --name vm h1 -- tcpdump -Z root -U --immediate-mode -i any -s 256 -w $capture udp port 6081 \
		>/tmp/tcpdump.out 2>&1 &
	listener=$!
	eventually [ -s $capture ]
	check "ping by geneve/$version" node "$a" ping -c 3 -W 10 10.0.1.11
	check "200 kB by TCP by geneve/$version, unchanged" part
	check "it was on the wire" eventually counted $capture 16
	kill $listener
	tcpdump -Z root -r $capture -c 40 -w /tmp/some.pcap 2>/tmp/read
	base64 /tmp/some.pcap | sed "s/^/PCAP geneve-$version /"
done
[ -z "$failed" ] || for log in /run/viaduct/lab/vm/*.log; do
	echo "# $log"
	tail -n 30 "$log" | sed 's/^/# /'
done
check "the lab leaves nothing" viaduct lab down --name vm
nothing_left() { [ -z "$(ls /run/netns)" ] && [ ! -e /sys/class/net/vd-vm ]; }
check "no namespace is left" nothing_left

# The same, sealed.
check "lab of two hosts that talk to nobody in the clear" viaduct lab up --hosts 2 --edges 0 --name vm --require crypt || exit
eval "$(viaduct lab env --name vm)"
ENDPOINT=${VIADUCT_ENDPOINT:-http://127.0.0.1:8773}
vpc=$(ec2 -d Action=CreateVpc -d CidrBlock=10.0.0.0/16 | field vpcId)
one=$(ec2 -d Action=CreateSubnet -d VpcId="$vpc" -d CidrBlock=10.0.1.0/24 | field subnetId)
check "such a group there" apart
a=$(start "$one" 10.0.1.10 apart)
b=$(start "$one" 10.0.1.11 apart)
check "DHCP there" eventually has_address "$a" 10.0.1.10
check "DHCP on the second there" eventually has_address "$b" 10.0.1.11
check "ping across hosts, sealed" node "$a" ping -c 3 -W 5 10.0.1.11
check "20 MB by TCP across hosts, sealed, unchanged" transfer
check "workers that seal" pidof viaduct-seal
[ -z "$failed" ] || for log in /run/viaduct/lab/vm/*.log; do
	echo "# $log"
	tail -n 30 "$log" | sed 's/^/# /'
done
check "that lab leaves nothing" viaduct lab down --name vm
check "no namespace is left of it" nothing_left
