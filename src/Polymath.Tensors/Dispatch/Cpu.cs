using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Polymath.Tensors;

/// <summary>Which kernel variant this process runs: the widest the chip has, or the one POLYMATH_ISA names.</summary>
public static class Cpu
{
    /// <summary>Environment variable that forces a variant: scalar, advsimd, avx2 or avx512.</summary>
    public const string Variable = "POLYMATH_ISA";

    private static readonly (InstructionSet Set, string? Problem) s_choice = Choose(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The variant in use; the same for the life of the process.</summary>
    /// <exception cref="PlatformNotSupportedException">POLYMATH_ISA names no variant, or one that this chip lacks.</exception>
    public static InstructionSet InstructionSet => s_choice.Problem is null ? s_choice.Set : throw Refusal(s_choice.Problem);

    /// <summary>True when the chip runs <paramref name="set"/>.</summary>
    public static bool Has(InstructionSet set) => set switch
    {
        InstructionSet.Scalar => true,
        InstructionSet.AdvSimd => AdvSimd.Arm64.IsSupported,
        InstructionSet.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        InstructionSet.Avx512 => Avx512F.VL.IsSupported && Avx512BW.VL.IsSupported && Avx512DQ.VL.IsSupported,
        _ => false,
    };

    /// <summary>True when the chip says that it has AVX-512 and this program cannot use it: compiled ahead of time for less, or the runtime told not to.</summary>
    public static bool LeavesAvx512Unused => !Has(InstructionSet.Avx512) && ChipHasAvx512();

    /// <summary>One line for messages and logs: architecture, variants that would run, the one in use.</summary>
    public static string Describe()
    {
        string available = string.Join(", ", Enum.GetValues<InstructionSet>().Where(Has).Select(Name));
        string use = s_choice.Problem ?? $"using {Name(s_choice.Set)}";
        return $"{Name(RuntimeInformation.ProcessArchitecture)}, {Environment.ProcessorCount} processors, has {available}; {use}";
    }

    /// <summary>The variant for a wish (null or empty: the best there is), or why there is none.</summary>
    internal static (InstructionSet Set, string? Problem) Choose(string? wish)
    {
        if (string.IsNullOrWhiteSpace(wish))
            return (Best(), null);
        foreach (InstructionSet set in Enum.GetValues<InstructionSet>())
        {
            if (wish.Trim().Equals(Name(set), StringComparison.OrdinalIgnoreCase))
                return (set, Has(set) ? null : $"{Variable}={wish}: this chip or runtime does not have {Name(set)}");
        }

        return (InstructionSet.Scalar, $"{Variable}={wish}: expected scalar, advsimd, avx2 or avx512");
    }

    /// <summary>By CPUID itself, since <c>IsSupported</c> tells what the compiler may use.</summary>
    private static bool ChipHasAvx512()
    {
        const int leaf = 7, foundation = 1 << 16, doubleQuad = 1 << 17, byteWord = 1 << 30, shortVectors = 1 << 31;
        const int needed = foundation | doubleQuad | byteWord | shortVectors;
        return X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= leaf && (X86Base.CpuId(leaf, 0).Ebx & needed) == needed;
    }

    private static InstructionSet Best()
    {
        if (Has(InstructionSet.Avx512))
            return InstructionSet.Avx512;
        if (Has(InstructionSet.Avx2))
            return InstructionSet.Avx2;
        return Has(InstructionSet.AdvSimd) ? InstructionSet.AdvSimd : InstructionSet.Scalar;
    }

    private static string Name<T>(T value)
        where T : struct, Enum
        => value.ToString().ToLowerInvariant();

    private static PlatformNotSupportedException Refusal(string problem) => new(problem);
}
