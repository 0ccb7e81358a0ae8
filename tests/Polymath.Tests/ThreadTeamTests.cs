using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests;

public sealed class ThreadTeamTests
{
    private struct CountJob : IRangeJob
    {
        public int[] Hits;
        public int FailAt;

        public readonly void Run(int from, int to)
        {
            for (int i = from; i < to; i++)
            {
                if (i == FailAt)
                    throw new InvalidOperationException("planted");
                Hits[i]++;
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_index_runs_exactly_once(int threads)
    {
        using var team = new ThreadTeam(threads);
        for (int round = 0; round < 2000; round++)
        {
            var job = new CountJob { Hits = new int[round % 67], FailAt = -1 };
            team.Run(ref job, job.Hits.Length, 1 + (round % 5));
            Assert.All(job.Hits, hit => Assert.Equal(1, hit));
        }
    }

    [Fact]
    public void A_failing_job_throws_and_the_team_goes_on()
    {
        using var team = new ThreadTeam(3);
        var bad = new CountJob { Hits = new int[100], FailAt = 50 };
        Assert.Throws<AggregateException>(() => team.Run(ref bad, 100));
        var good = new CountJob { Hits = new int[100], FailAt = -1 };
        team.Run(ref good, 100);
        Assert.All(good.Hits, hit => Assert.Equal(1, hit));
    }

    [Fact]
    public void A_loop_allocates_nothing()
    {
        using var team = new ThreadTeam(2);
        var job = new CountJob { Hits = new int[64], FailAt = -1 };
        Assert.Equal(0, Allocations.Of(() => team.Run(ref job, 64)));
    }
}
