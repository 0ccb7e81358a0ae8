using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Polymath.Tensors;

/// <summary>The processor as it describes itself.</summary>
public static class Processor
{
    private const int BrandLeaves = unchecked((int)0x80000000);   // of CPUID; the brand is in the three leaves from 2 on

    /// <summary>Its name; null where neither it nor the system says.</summary>
    public static string? Name { get; } = ReadName();

    /// <summary>Instruction sets beyond the architecture's baseline that the runtime uses on this chip.</summary>
    public static IReadOnlyList<string> Instructions { get; } = [.. Sets().Where(set => set.Has).Select(set => set.Name)];

    /// <summary>Bytes of the last-level caches together; 0 where the system does not say.</summary>
    public static long LastLevelCacheBytes() => OperatingSystem.IsLinux() ? LastLevelCacheBytes("/") : 0;

    /// <summary>The sum over the different caches of the highest level below <paramref name="root"/>.</summary>
    internal static long LastLevelCacheBytes(string root)
    {
        var caches = new Dictionary<(long Level, string Sharing), long>();
        foreach (string processor in Folders(Path.Combine(root, "sys/devices/system/cpu"), "cpu*"))
        {
            foreach (string cache in Folders(Path.Combine(processor, "cache"), "index*"))
            {
                string size = Line(cache, "size");
                long? bytes = size.EndsWith('K') ? SystemFiles.Number(size[..^1], 1 << 10)
                    : size.EndsWith('M') ? SystemFiles.Number(size[..^1], 1 << 20) : SystemFiles.Number(size, 1);
                if (SystemFiles.Number(Line(cache, "level"), 1) is { } level && bytes < 1L << 40)
                    caches[(level, Line(cache, "shared_cpu_list"))] = bytes.Value;
            }
        }

        long last = caches.Keys.Select(cache => cache.Level).DefaultIfEmpty().Max();
        return caches.Where(cache => cache.Key.Level == last).Sum(cache => cache.Value);

        static string Line(string folder, string name) => SystemFiles.Lines(Path.Combine(folder, name)).FirstOrDefault("");
    }

    private static string[] Folders(string path, string pattern)
    {
        try
        {
            return Directory.GetDirectories(path, pattern);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? ReadName()
    {
        if (X86Base.IsSupported && Brand() is { Length: > 0 } brand)
            return brand;
        string? line = OperatingSystem.IsLinux()
            ? SystemFiles.Lines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.OrdinalIgnoreCase)) : null;
        return line?[(line.IndexOf(':') + 1)..].Trim() is { Length: > 0 } name ? name : null;
    }

    /// <summary>The 48 characters of the brand string.</summary>
    private static string Brand()
    {
        if (X86Base.CpuId(BrandLeaves, 0).Eax < BrandLeaves + 4)
            return "";
        var registers = new int[12];
        for (int leaf = 0; leaf < 3; leaf++)
            (registers[4 * leaf], registers[(4 * leaf) + 1], registers[(4 * leaf) + 2], registers[(4 * leaf) + 3]) = X86Base.CpuId(BrandLeaves + 2 + leaf, 0);
        string text = Encoding.ASCII.GetString(MemoryMarshal.AsBytes(registers.AsSpan()));
        return string.Join(' ', text.Split(['\0', ' '], StringSplitOptions.RemoveEmptyEntries));
    }

    private static IEnumerable<(string Name, bool Has)> Sets() =>
    [
        ("SSE4.2", Sse42.IsSupported),
        ("AVX", Avx.IsSupported),
        ("AVX2", Avx2.IsSupported),
        ("FMA", Fma.IsSupported),
        ("BMI2", Bmi2.IsSupported),
        ("AVX-VNNI", AvxVnni.IsSupported),
        ("AVX-512F", Avx512F.IsSupported),
        ("AVX-512BW", Avx512BW.IsSupported),
        ("AVX-512DQ", Avx512DQ.IsSupported),
        ("AVX-512VL", Avx512F.VL.IsSupported),
        ("AVX-512VBMI", Avx512Vbmi.IsSupported),
        ("AVX10.1", Avx10v1.IsSupported),
        ("AVX10.2", Avx10v2.IsSupported),
        ("AdvSimd", AdvSimd.Arm64.IsSupported),
        ("DotProd", Dp.IsSupported),
        ("RDM", Rdm.IsSupported),
    ];
}
