/* A race: threads add to one number. ThreadSanitizer must tell of it, or what it says of the other
 * tests is nothing. */
#include <stdio.h>

int main(void)
{
    long sum = 0;
#pragma omp parallel for num_threads(4)
    for (long i = 0; i < 100000; i++)
        sum += i;
    printf("%ld\n", sum);
    return 0;
}
