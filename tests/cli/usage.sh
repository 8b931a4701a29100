# What is wrong on the command line is named, with the option and what it takes; the exit code is 2.
run anogan
run anogan trian
run anogan frobnicate
run anogan --bogus
run anogan train
run anogan train data
run anogan train data --out run --epochs ten
run anogan train data --out run --epochs 0
run anogan train data --out run --epochs -1
run anogan train data --out run --batch 99999999999999999999
run anogan train data --out run --rate nan
run anogan train data --out run --rate 0x1p-3
run anogan train data --out run --beta1 1
run anogan train data --out run --flip sideways
run anogan train data --out run --conv fourier
run anogan train data --out run --shift 0.6
run anogan train data --out run --fit stretch
run anogan train data --out run --channels blue
run anogan train data --out run --size 64 --tile 64
run anogan train data --out run --stride 32
run anogan train data --out run --scale 0.5
run anogan train data --out run --cache 0
run anogan train data --out run --checkpoint-every 0
run anogan train data --out run --checkpoint-every 5h
run anogan train data --out run --keep-checkpoints 0
run anogan train data --out run --seed 18446744073709551616
run anogan train data --out run --count none
run anogan train data --out run --epochs
run anogan train data more --out run
run anogan train data --out run --prior gaussian
run anogan train data --out run --gan-loss mse
run anogan train data --out run --label-smoothing 0.6
run anogan train data --out run --average 1
run anogan train data --out run --method vae --prior uniform
run anogan train data --out run --method vae --spectral-norm
run anogan train data --out run --method patch --average 0.9
run anogan train data --out run --tile 32 --gan-loss hinge
run anogan train data --out run --method encoder --label-smoothing 0.1
run anogan train data --out run --method fc --gan-loss hinge --label-smoothing 0.1
run anogan train --resume run --spectral-norm
run anogan train --resume run --batch 16
run anogan train --resume run --conv fft
run anogan train --resume run --tile 32
run anogan train --resume run --cache 2048
run anogan train --resume run --out other
run anogan demo data
run anogan score
run anogan score run data --split both
run anogan score run data --search newton
run anogan train data --out run --pool top
run anogan evaluate
run anogan report
run anogan info
run anogan benchmark
run anogan benchmark data
run anogan benchmark data --out run --seeds 0
run anogan benchmark data --out run --baselines some
run anogan benchmark data --out run --no-test
run anogan benchmark data --out run --stride 8
run anogan benchmark --resume run --out other
