#include "process.h"

#include <stddef.h>
#include <sys/mman.h>

_Atomic(struct process_page *) process_page_made;
static _Atomic uint32_t last_epoch;

static void wipe_in_child(void)
{
    struct process_page *page = atomic_load(&process_page_made);

    atomic_store(&page->epoch, 0);
    page->start_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    for (int i = 0; i < PROCESS_STRIPES; i++)
        atomic_store(&page->stripe[i].inside, 0);
}

_Static_assert(sizeof(struct process_page) <= 4096, "one page");

struct process_page *process_page_make(void)
{
    struct process_page *none = NULL;
    struct process_page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool wiped;

    if (page == MAP_FAILED)
        return NULL;
    wiped = madvise(page, sizeof *page, MADV_WIPEONFORK) == 0;
    if (!atomic_compare_exchange_strong(&process_page_made, &none, page)) {
        munmap(page, sizeof *page);
        return none;
    }
    if (!wiped) /* a kernel before 4.14: good but for raw fork system calls */
        pthread_atfork(NULL, NULL, wipe_in_child);
    return page;
}

uint32_t process_epoch_make(void)
{
    struct process_page *page = process_page();
    uint32_t epoch = 0;
    uint32_t next;

    if (page == NULL)
        return UINT32_MAX; /* nothing can have been made yet */
    next = atomic_fetch_add(&last_epoch, 1) + 1;
    return atomic_compare_exchange_strong(&page->epoch, &epoch, next) ? next : epoch;
}
