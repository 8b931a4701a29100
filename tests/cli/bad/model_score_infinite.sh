# A score that is infinite.
n=$(($(header_of $model | grep -o '"memory.histograms".*' | grep -o "\[[0-9]*,[0-9]*\]" | tail -1 | tr -d "[]" | awk -F, '{print $2 - $1}')))
spoil $model bad.safetensors $((n + 4)) '\x00\x00\x80\x7f'
anogan score bad.safetensors $bars --quiet
