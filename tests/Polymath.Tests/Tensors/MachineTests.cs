using System.Buffers.Binary;
using Polymath.Tensors;
using Polymath.Tests.Files;
using Xunit;

namespace Polymath.Tests.Tensors;

/// <summary>What is said of the machine: read from files of its system, or measured.</summary>
public sealed class MachineTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_sum_of_words_is_exact_for_every_length_and_number_of_threads(int threads)
    {
        using var team = new ThreadTeam(threads);
        foreach (int words in (int[])[.. Enumerable.Range(0, 100), (1 << 17) - 1, (1 << 17) + 1, (3 << 17) + 33])
        {
            using var buffer = new NativeBuffer(words * 8L);
            Span<byte> bytes = Tensor.View(buffer, 0, TensorFormat.F32, 1, words * 2).RowData(0);
            ulong expected = 0;
            for (int i = 0; i < words; i++)
            {
                ulong word = unchecked((ulong)(i + 1) * 0x9E3779B97F4A7C15);
                BinaryPrimitives.WriteUInt64LittleEndian(bytes[(8 * i)..], word);
                expected = unchecked(expected + word);
            }

            Assert.Equal(expected, WordSum.Run(team, buffer, buffer.Length));
        }
    }

    [Fact]
    public void The_sum_of_words_reads_nothing_outside_the_buffer()
    {
        using var team = new ThreadTeam(1);
        using var buffer = new NativeBuffer(64);
        foreach (long length in new long[] { -8, 4, 72, long.MaxValue })
            Assert.Throws<ArgumentOutOfRangeException>(() => WordSum.Run(team, buffer, length));
    }

    [Fact]
    public void Speeds_are_positive_finite_numbers_also_with_little_memory()
    {
        using var team = new ThreadTeam(2);
        var speed = MachineSpeed.Measure(team, 16 << 20);
        Assert.Equal(2, speed.Threads);
        Assert.All(
            new[] { speed.ReadAlone, speed.ReadTeam, speed.FlopsAlone, speed.FlopsTeam },
            value => Assert.True(double.IsFinite(value) && value > 0, $"{value}"));
    }

    [Fact]
    public void A_chip_with_AVX_512_is_known_also_where_the_program_may_not_use_it()
    {
        Assert.SkipUnless(File.Exists("/proc/cpuinfo"), "told on Linux alone");
        Assert.SkipUnless(System.Runtime.Intrinsics.X86.X86Base.IsSupported, "the runtime may not ask the chip");
        string? flags = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal));
        bool chip = flags is not null && ((string[])["avx512f", "avx512dq", "avx512bw", "avx512vl"]).All(flags.Split(' ').Contains);
        Assert.Equal(chip, Cpu.Has(InstructionSet.Avx512) || Cpu.LeavesAvx512Unused);
        Assert.False(Cpu.Has(InstructionSet.Avx512) && Cpu.LeavesAvx512Unused);
    }

    [Fact]
    public void The_buffer_is_much_larger_than_the_caches_and_smaller_than_what_is_free()
    {
        const long GiB = 1L << 30;
        Assert.Equal(256L << 20, MemoryBandwidth.BufferBytes(0, 100 * GiB));
        Assert.Equal(512L << 20, MemoryBandwidth.BufferBytes(64 << 20, 100 * GiB));
        Assert.Equal(GiB, MemoryBandwidth.BufferBytes(long.MaxValue, 100 * GiB));
        Assert.Equal(GiB / 8, MemoryBandwidth.BufferBytes(64 << 20, GiB / 2));
        Assert.Equal(1 << 20, MemoryBandwidth.BufferBytes(64 << 20, 0));
    }

    [Theory]
    [InlineData("0::/box\n", "sys/fs/cgroup/box/cpu.max", "150000 100000", 1.5)]
    [InlineData("0::/box\n", "sys/fs/cgroup/cpu.max", "400000 100000", 4.0)]
    [InlineData("0::/box\n", "sys/fs/cgroup/box/cpu.max", "max 100000", null)]
    [InlineData("0::/box\n", "sys/fs/cgroup/box/cpu.max", "nonsense", null)]
    [InlineData("2:cpu,cpuacct:/box\n", "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "50000", 0.5)]
    [InlineData("2:cpu,cpuacct:/box\n", "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "-1", null)]
    public void The_processors_of_a_container_are_read(string groups, string file, string text, double? limit)
    {
        Write("proc/self/cgroup", groups);
        Write("proc/cpuinfo", "processor : 0\nmodel name : X\n\nprocessor : 1\nprocessor : 2\n");
        Write("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
        Write(file, text + "\n");
        Assert.Equal(new MachineCores(2, 3, limit), MachineCores.ReadLinux(_root.Path, 2));
    }

    [Fact]
    public void The_memory_of_a_container_is_read()
    {
        Write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\n");
        Write("proc/self/cgroup", "0::/a/b\n");
        Assert.Equal(new MachineMemory(1_024_000, 614_400, false), MachineMemory.ReadLinux(_root.Path));
        Write("sys/fs/cgroup/a/memory.max", "500000\n");
        Write("sys/fs/cgroup/a/memory.current", "450000\n");
        Write("sys/fs/cgroup/a/memory.stat", "anon 1\nactive_file 100000\ninactive_file 50000\n");
        Write("sys/fs/cgroup/a/b/memory.max", "max\n");
        Assert.Equal(new MachineMemory(500_000, 200_000, true), MachineMemory.ReadLinux(_root.Path));
    }

    [Fact]
    public void The_last_caches_are_added_up_once_each()
    {
        for (int cpu = 0; cpu < 4; cpu++)
        {
            Cache(cpu, 0, "1", "32K", $"{cpu}");
            Cache(cpu, 1, "3", "8M", cpu < 2 ? "0-1" : "2-3");
        }

        Cache(0, 2, "9", "nonsense", "0");
        Assert.Equal(16 << 20, Processor.LastLevelCacheBytes(_root.Path));
        Assert.Equal(0, Processor.LastLevelCacheBytes(_root["nothing"]));

        void Cache(int cpu, int index, string level, string size, string sharing)
        {
            string folder = $"sys/devices/system/cpu/cpu{cpu}/cache/index{index}/";
            Write(folder + "level", level + "\n");
            Write(folder + "size", size + "\n");
            Write(folder + "shared_cpu_list", sharing + "\n");
        }
    }

    [Theory]
    [InlineData("always [madvise] never\n", "madvise")]
    [InlineData("[always] madvise never\n", "always")]
    [InlineData("nonsense\n", null)]
    [InlineData("]x[\n", null)]
    public void The_setting_of_huge_pages_is_read(string text, string? setting)
    {
        Write("sys/kernel/mm/transparent_hugepage/enabled", text);
        Assert.Equal(setting, HugePages.ReadLinux(_root.Path));
    }

    private void Write(string path, string text)
    {
        string full = _root[path];
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
