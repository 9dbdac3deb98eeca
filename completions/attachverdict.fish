# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
# Completion of attachverdict for fish. A test holds all that it offers to what the program says.

# What the program itself prints, by the name that it was called by.
function __attachverdict_ask
    set -l exe (commandline -opc)[1]
    string match -q '~/*' -- $exe; and set exe $HOME/(string sub -s 3 -- $exe)
    $exe $argv 2>/dev/null
end

# Whether the command is one of these; behind -- there is none.
function __attachverdict_in
    set -l words (commandline -opc)
    contains -- -- $words; and return 1
    set -q words[2]; and contains -- $words[2] $argv
end

function __attachverdict_no_command
    test (count (commandline -opc)) -eq 1
end

# What stands behind -- is the scheduler's own.
function __attachverdict_behind_dashes
    contains -- -- (commandline -opc)
end

# Whether the word before is the command itself.
function __attachverdict_first
    test (count (commandline -opc)) -eq 2; and __attachverdict_in $argv
end

function __attachverdict_describe
    test (commandline -opc)[-1] = describe; and __attachverdict_in kernel
end

function __attachverdict_topologies
    echo help
    __attachverdict_ask run --topology help | sed '1,/^preset /d; s/ .*//'
end

# The program escapes in its list what a terminal can't show: these can't be offered.
function __attachverdict_kernels
    __attachverdict_ask kernel list | sed '1d; /\\\\x/d; s/^[^ ]* *[^ ]* *[^ ]* *//'
end

function __attachverdict_releases
    __attachverdict_ask kernel list | sed '1d; s/ .*//'
end

function __attachverdict_directories
    __fish_complete_directories (commandline -ct) ''
end

set -l c complete -c attachverdict
$c -f
$c -n __attachverdict_behind_dashes -F

$c -n __attachverdict_no_command -l help -s h -d 'show the commands'
$c -n __attachverdict_no_command -l version -s V -d 'show the versions'
set -l commands \
    run\t'boot a kernel, start a scheduler, give the verdict' \
    sweep\t'run many cells' \
    show\t'show the results of a sweep' \
    merge\t'merge the results of one plan from many machines' \
    mark\t'note that cells were lost, and why' \
    compare\t'what got worse between two sweeps' \
    replay\t'give the verdict again from a recording' \
    verifier\t'what the verifier said of each program' \
    doctor\t'what of this machine can be used' \
    kernel\t'list the kernels that are here, or describe one' \
    explain\t'what a reason code means' \
    version\t'show the versions'
$c -n __attachverdict_no_command -a "$(string escape -- $commands | string join ' ')"
$c -n __attachverdict_no_command -a help -d 'show the help of a command'
$c -n '__attachverdict_first help' -a "$(string escape -- $commands | string join ' ')"

set -l names (string replace -r '\t.*' '' -- $commands)
$c -n "__attachverdict_in $names" -l help -s h -d 'show the options'

# What is no option.
$c -n '__attachverdict_in sweep replay verifier' -F
$c -n '__attachverdict_in show merge mark compare' -a '(__attachverdict_directories)'
$c -n '__attachverdict_first verifier' -a diff -d 'what changed between two files'
$c -n '__attachverdict_first kernel' -a 'list describe'
$c -n __attachverdict_describe -F -a '(__attachverdict_kernels)'
$c -n '__attachverdict_first explain' -a "(__attachverdict_ask explain | string replace -r ' +' \t)"

set -l run $c -n '__attachverdict_in run'
$run -l scheduler -s s -rF -d 'the scheduler: a program or a .bpf.o'
$run -l kernel -s k -rF -a '(__attachverdict_kernels)' -d 'the kernel to boot'
$run -l topology -xa '(__attachverdict_topologies)' -d 'CPUs: their number, a shape, a preset'
$run -l memory -x -d 'memory of the guest, such as 2G'
$run -l payload -rF -d 'a command to run after the attach'
$run -l include -rF -d 'file or directory to bring along'
$run -l dispatch -xa 'off quick full' -d 'do all CPUs and tasks make progress'
$run -l machine -xa 'auto qemu kvm' -d 'what to run it in'
$run -l carrier -xa 'auto serial window' -d 'what carries the frames'
$run -l no-sandbox -d 'do not confine the machine'
$run -l qemu -rF -d 'the QEMU program'
$run -l kernel-args -x -d 'appended to the kernel\'s command line'
$run -l cache-dir -xa '(__attachverdict_directories)' -d 'where kernels are kept'
$run -l record -s r -rF -d 'write the recording'
$run -l repeat -x -d 'run the same cell so many times'
$run -l keep -xa '(__attachverdict_directories)' -d 'leave initramfs and console there'
$run -l format -s f -xa 'text json' -d 'form of the report'
$run -l verbose -s v -d 'phases as they come, all evidence'
$run -l timeout -x -d 'time of the whole run'
$run -l boot-timeout -x -d 'time until the guest\'s first sign of life'
$run -l silence-timeout -x -d 'time without a sign of life'
$run -l idle-timeout -x -d 'time without a sign of life or CPU time'
$run -l settle -x -d 'how long the proof must hold'
$run -l budget-cpu -x -d 'CPU time until the attach'
$run -l budget-wall -x -d 'guest time until the attach'
$run -l payload-timeout -x -d 'time of the payload'
$run -l dispatch-timeout -x -d 'time of the look at the dispatch'
$run -l channel-limit -x -d 'all that the guest may send'
$run -l log-limit -x -d 'output that is kept of each stream'
$run -l verifier-stats -xa 'on off' -d 'take the verifier\'s statistics'
$run -l verifier-log -xa '0 1 2 4' -d 'level of the verifier\'s log'
$run -l exit-style -xa 'default tap bisect kselftest' -d 'exit statuses for other programs'

set -l sweep $c -n '__attachverdict_in sweep'
$sweep -l out -s o -xa '(__attachverdict_directories)' -d 'directory of the results'
$sweep -l scheduler -s s -rF -d 'a scheduler with its arguments'
$sweep -l kernel -s k -rF -a '(__attachverdict_releases)' -d 'an image or a release'
$sweep -l topology -xa '(__attachverdict_topologies)' -d 'CPUs: their number, a shape, a preset'
$sweep -l payload -rF -d 'a command to run after the attach'
$sweep -l only -x -d 'keep the cells that match'
$sweep -l skip -x -d 'drop the cells that match'
$sweep -l expect -x -d 'what cells that match must come to'
$sweep -l memory -x -d 'memory of each machine'
$sweep -l machine -xa 'auto qemu kvm' -d 'what to run the cells in'
$sweep -l set -x -d 'any other option of run'
$sweep -l jobs -s j -x -d 'cells at a time'
$sweep -l list -d 'print the plan, run nothing'
$sweep -l shard -x -d 'one of N equal parts'
$sweep -l cells -xa none -d 'only these cells'
$sweep -l fail-fast -d 'start no more after a failure'
$sweep -l rerun-failed -d 'run again what is not as expected'
$sweep -l exit-style -xa 'default tap bisect kselftest' -d 'exit statuses for other programs'

set -l show $c -n '__attachverdict_in show'
$show -l format -s f -xa 'text json tap ktap junit markdown html veristat' -d 'form of the results'
$show -l output -s o -rF -d 'write the file, whole or not at all'
$show -l details-limit -x -d 'of all recordings in the page'
$show -l verify -d 'judge each recording again'
$show -l exit-style -xa 'default tap bisect kselftest' -d 'exit statuses for other programs'
$c -n '__attachverdict_in merge' -l out -s o -xa '(__attachverdict_directories)' -d 'a new directory'
$c -n '__attachverdict_in merge' -l worst -d 'take the worse of two results'

set -l mark $c -n '__attachverdict_in mark'
$mark -l reason -x -d 'why they have no result'
$mark -l shard -x -d 'one of N equal parts'
$mark -l cells -x -d 'only these cells'

$c -n '__attachverdict_in replay' -l format -s f -xa 'text json' -d 'form of the report'
$c -n '__attachverdict_in replay' -l verbose -s v -d 'all evidence that was kept'

set -l verifier $c -n '__attachverdict_in verifier'
$verifier -l format -s f -xa 'text json csv' -d 'form of the table'
$verifier -l log -d 'the logs, repetitions as one'
$verifier -l raw -d 'the logs as they came'
$verifier -l threshold -x -d 'growth that makes diff exit 1'

$c -n '__attachverdict_in doctor' -l qemu -rF -d 'the QEMU program'
$c -n '__attachverdict_in doctor kernel' -l format -s f -xa 'text json' -d 'form of the output'
$c -n '__attachverdict_in doctor kernel' -l cache-dir -xa '(__attachverdict_directories)' \
    -d 'where kernels are kept'
