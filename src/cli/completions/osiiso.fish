# fish completion for osiiso. The program knows its options and reads the names in job files.

function __osiiso_complete
    set -l before (commandline -opc)
    set -e before[1]
    set -l current (commandline -ct)
    set -l after
    set -l all (commandline -op)
    set -l next (math (count $before) + 3)
    if test (count $all) -ge $next
        set after $all[$next..-1]
    end
    command osiiso __complete (count $before) $before $current $after 2>/dev/null
end

function __osiiso_others
    string match -q -- $argv[1] (__osiiso_complete)[1]
end

complete -c osiiso -f
complete -c osiiso -n '__osiiso_others words' -a '(__osiiso_complete)[2..-1]'
complete -c osiiso -n '__osiiso_others files' -F
complete -c osiiso -n '__osiiso_others folders' -a '(__fish_complete_directories (commandline -ct))'
